/** Shape rules: element by element: trigonometry, rounding, bits, further activations. */
import { elementBytes } from '../../util/tensor.js';
import { intOf, stringOf } from '../attributes.js';
import { elementTypeOf } from '../element-codes.js';
import type { Dim } from '../graph.js';
import type { mathSchemas } from '../schema/math.js';
import { formatShape, isBroadcastableTo, isFixed } from './dims.js';
import { arithmetic, logical, unary, variadic } from './elementwise.js';
import { fail, type InferContext, type ShapeRule, single } from './shape.js';

/** A truth value per element. */
const test: ShapeRule = ({ inputs: [x] }) => single('bool', x?.shape);

/** Integers of one type. */
const bitwise: ShapeRule = (context) => {
  for (const x of context.inputs) {
    if (x !== undefined && (x.dtype.includes('float') || x.dtype === 'bool')) {
      fail(context.node, `expected integers, received ${x.dtype}`);
    }
  }
  return variadic(context);
};

/** As `bitwise`, with a direction. */
const bitShift: ShapeRule = (context) => {
  const direction = stringOf(context.node, 'direction', '');
  if (direction !== 'LEFT' && direction !== 'RIGHT') {
    fail(context.node, `expected direction LEFT or RIGHT, received ${direction || 'none'}`);
  }
  return bitwise(context);
};

/** BitCast: the same bits as another type of the same width. */
const bitCast: ShapeRule = ({ node, inputs: [x] }) => {
  const code = intOf(node, 'to', 0);
  const dtype = elementTypeOf(code);
  if (dtype === undefined) {
    fail(node, `expected a known element type in attribute to, received ${code}`);
  }
  if (x !== undefined && elementBytes[x.dtype] !== elementBytes[dtype]) {
    fail(node, `expected a type as wide as ${x.dtype}, received ${dtype}`);
  }
  return single(dtype, x?.shape);
};

/** CastLike: the type of the second input; integer contents pass to integer types. */
const castLike: ShapeRule = ({ inputs: [x, like], contents: [values] }) => {
  const keeps = like?.dtype === 'int64' || like?.dtype === 'int32';
  return single(like?.dtype, x?.shape, keeps ? values : undefined);
};

/** Mod: the remainder takes the sign of the divisor; with `fmod`, that of the dividend, as in C. */
const mod: ShapeRule = (context) =>
  arithmetic((a, b) => remainder(a, b, intOf(context.node, 'fmod', 0) === 1))(context);

function remainder(a: Dim, b: Dim, truncated: boolean): Dim {
  if (!isFixed(a) || !isFixed(b) || b === 0) return '?';
  const rest = a % b;
  return truncated || rest === 0 || rest < 0 === b < 0 ? rest : rest + b;
}

/** PRelu: y like x; the slope is broadcast to it. */
const prelu: ShapeRule = (context: InferContext) => {
  const { node, inputs } = context;
  const [x, slope] = inputs;
  if (x?.shape && slope?.shape && !isBroadcastableTo(slope.shape, x.shape)) {
    fail(
      node,
      `expected a slope that broadcasts to ${formatShape(x.shape)}, received ${formatShape(slope.shape)}`,
    );
  }
  return single(variadic(context).types[0]?.dtype, x?.shape);
};

/** Gelu: y like x; `approximate` is one of two. */
const gelu: ShapeRule = (context) => {
  const approximate = stringOf(context.node, 'approximate', 'none');
  if (approximate !== 'none' && approximate !== 'tanh') {
    fail(context.node, `expected approximate none or tanh, received ${approximate}`);
  }
  return unary(context);
};

export const mathShapes: Readonly<Record<keyof typeof mathSchemas, ShapeRule>> = {
  Acos: unary,
  Acosh: unary,
  Asin: unary,
  Asinh: unary,
  Atan: unary,
  Atanh: unary,
  BitCast: bitCast,
  BitShift: bitShift,
  BitwiseAnd: bitwise,
  BitwiseNot: bitwise,
  BitwiseOr: bitwise,
  BitwiseXor: bitwise,
  CastLike: castLike,
  Ceil: unary,
  Celu: unary,
  Cos: unary,
  Cosh: unary,
  Floor: unary,
  Gelu: gelu,
  IsInf: test,
  IsNaN: test,
  Mean: variadic,
  Mish: unary,
  Mod: mod,
  PRelu: prelu,
  Round: unary,
  Selu: unary,
  Shrink: unary,
  Sin: unary,
  Sinh: unary,
  Softsign: unary,
  Swish: unary,
  Tan: unary,
  ThresholdedRelu: unary,
  Xor: logical,
};
