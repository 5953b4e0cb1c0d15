/** Operators that work element by element, with multidirectional broadcasting. */
import type { Dim } from '../graph.js';
import { chooseDim, combineContents } from './contents.js';
import {
  addDims,
  broadcastShapes,
  divideDims,
  formatShape,
  isFixed,
  isSameDim,
  maxDims,
  minDims,
  multiplyDims,
  subtractDims,
} from './dims.js';
import {
  commonType,
  fail,
  type InferContext,
  type Inferred,
  type ShapeRule,
  single,
  typeFrom,
} from './shape.js';

/** y has the type of x. */
export const unary: ShapeRule = ({ inputs: [x] }) => single(x?.dtype, x?.shape);

/** Not. */
export const logicalUnary: ShapeRule = ({ node, inputs: [x], contents: [values] }) => {
  if (x !== undefined && x.dtype !== 'bool') fail(node, `expected bool, received ${x.dtype}`);
  return single(
    'bool',
    x?.shape,
    values?.map((value) => (isFixed(value) ? 1 - value : '?')),
  );
};

/** Identity: contents pass, too. */
export const identity: ShapeRule = ({ inputs: [x], contents: [values] }) =>
  single(x?.dtype, x?.shape, values);

const indicesOf = (context: InferContext) => context.inputs.map((_, i) => i);

/** Any number of inputs of one element type. */
export const variadic: ShapeRule = (context) =>
  single(
    commonType(context, indicesOf(context)),
    broadcastShapes(
      context.node,
      context.inputs.map((x) => x?.shape),
    ),
  );

/** Integer arithmetic, whose contents are followed with `operate`. */
export function arithmetic(operate: (a: Dim, b: Dim) => Dim): ShapeRule {
  const fold = (...operands: Dim[]) => operands.reduce(operate);
  return (context) => withContents(variadic(context), context, fold);
}

/** The result with the contents that `operate` gives, where those of all inputs are known. */
function withContents(
  { types }: Inferred,
  { contents }: InferContext,
  operate: (...operands: Dim[]) => Dim,
): Inferred {
  const combined = combineContents(contents, types[0]?.shape, operate);
  return combined === undefined ? { types } : { types, contents: combined };
}

export const add = arithmetic(addDims);
export const subtract = arithmetic(subtractDims);
export const multiply = arithmetic(multiplyDims);
export const divide = arithmetic(divideDims);
export const maximum = arithmetic(maxDims);
export const minimum = arithmetic(minDims);

/** The exponent may have its own element type. */
export const power: ShapeRule = ({ node, inputs: [x, exponent] }) =>
  single(x?.dtype, broadcastShapes(node, [x?.shape, exponent?.shape]));

/** Two inputs of one element type, a truth value out. */
export const comparison: ShapeRule = (context) => {
  commonType(context, [0, 1]);
  return single(
    'bool',
    broadcastShapes(
      context.node,
      context.inputs.map((x) => x?.shape),
    ),
  );
};

/** Greater and its kin, whose contents are followed as 0 and 1. */
function ordering(holds: (a: number, b: number) => boolean): ShapeRule {
  return (context) =>
    withContents(comparison(context), context, (a = '?', b = '?') => {
      return isFixed(a) && isFixed(b) ? Number(holds(a, b)) : '?';
    });
}

export const greater = ordering((a, b) => a > b);
export const greaterOrEqual = ordering((a, b) => a >= b);
export const less = ordering((a, b) => a < b);
export const lessOrEqual = ordering((a, b) => a <= b);

/** Equal; contents as 0 and 1, since exporters compare a shape with -1 before Where and Expand. */
export const equal: ShapeRule = (context) =>
  withContents(comparison(context), context, (a = '?', b = '?') => {
    if (isFixed(a) && isFixed(b)) return a === b ? 1 : 0;
    if (isSameDim(a, b)) return 1;
    return (isFixed(a) && a < 0) || (isFixed(b) && b < 0) ? 0 : '?';
  });

/** Two truth values in, one out. */
export const logical: ShapeRule = (context) => {
  for (const x of context.inputs) {
    if (x !== undefined && x.dtype !== 'bool') {
      fail(context.node, `expected bool, received ${x.dtype}`);
    }
  }
  return comparison(context);
};

/** And, Or: one operand that is `decisive` decides. */
function connective(decisive: 0 | 1): ShapeRule {
  return (context) =>
    withContents(logical(context), context, (a = '?', b = '?') => {
      if (a === decisive || b === decisive) return decisive;
      return isFixed(a) && isFixed(b) ? 1 - decisive : '?';
    });
}

export const and = connective(0);
export const or = connective(1);

/** Where(condition, x, y). */
export const where: ShapeRule = (context) => {
  const { node, inputs } = context;
  const [condition] = inputs;
  if (condition !== undefined && condition.dtype !== 'bool') {
    fail(node, `expected a bool condition, received ${condition.dtype}`);
  }
  const shape = broadcastShapes(
    node,
    inputs.map((x) => x?.shape),
  );
  const result = single(commonType(context, [1, 2]), shape);
  return withContents(result, context, (c = '?', x = '?', y = '?') => chooseDim(c, x, y));
};

/** Clip; its bounds are scalars (inputs from opset 11 on, attributes before). */
export const clip: ShapeRule = (context) => {
  const { node, inputs } = context;
  for (const bound of [inputs[1], inputs[2]]) {
    if (bound?.shape !== undefined && bound.shape.length > 0) {
      fail(node, `expected a scalar bound, received ${formatShape(bound.shape)}`);
    }
  }
  return single(commonType(context, [0, 1, 2]), inputs[0]?.shape);
};

/** Dropout: y like x, and a mask (bool from opset 10 on). */
export const dropout: ShapeRule = ({ opset, inputs: [x] }) => ({
  types: [typeFrom(x?.dtype, x?.shape), typeFrom(opset >= 10 ? 'bool' : x?.dtype, x?.shape)],
});
