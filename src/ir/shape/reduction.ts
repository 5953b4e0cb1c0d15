/** Reductions over axes. Axes are an attribute in old operator sets and an input in new ones. */
import { intOf, intsOf } from '../attributes.js';
import type { Dim, Shape } from '../graph.js';
import {
  fail,
  frontAxis,
  hasInput,
  type InferContext,
  lengthOf,
  numbersOf,
  type ShapeRule,
  single,
  unknownDims,
} from './shape.js';

/** A reduction whose contents are followed with `operate`, for a list that becomes one number. */
export const reduceTo =
  (operate: (a: Dim, b: Dim) => Dim): ShapeRule =>
  (context) => {
    const result = reduce(context);
    const { node, inputs, contents } = context;
    const [values = []] = contents;
    if (values.length === 0 || inputs[0]?.shape?.length !== 1) return result;
    const listed = reducedAxes(context)?.length ?? 0;
    const skips = listed === 0 && intOf(node, 'noop_with_empty_axes', 0) === 1;
    return skips ? result : { ...result, contents: [values.reduce(operate)] };
  };

/** The other reductions; from opset 18 on axes are an input of all of them. */
export const reduce: ShapeRule = (context) => {
  const { node, inputs } = context;
  const [x] = inputs;
  if (x?.shape === undefined) return single(x?.dtype, undefined);
  const rank = x.shape.length;
  const keep = intOf(node, 'keepdims', 1) === 1;
  const axes = reducedAxes(context);
  if (axes === undefined) {
    if (keep) return single(x.dtype, unknownDims(rank));
    const count = lengthOf(context, 1);
    return single(x.dtype, count ? unknownDims(Math.max(0, rank - count)) : undefined);
  }
  if (axes.length === 0 && intOf(node, 'noop_with_empty_axes', 0) === 1) {
    return single(x.dtype, x.shape);
  }
  return single(x.dtype, withoutAxes(context, x.shape, axes, keep));
};

/** Axes of the node, `[]` where none are given; undefined where they are not known. */
function reducedAxes(context: InferContext): readonly number[] | undefined {
  const { node, contents } = context;
  if (!hasInput(node, 1)) return intsOf(node, 'axes') ?? [];
  return lengthOf(context, 1) === 0 ? [] : numbersOf(contents[1]);
}

/** `shape` with `axes` (all of them, for none) set to 1 or removed. */
function withoutAxes(
  { node }: InferContext,
  shape: Shape,
  axes: readonly number[],
  keep: boolean,
): Shape {
  const gone = new Set(axes.map((axis) => frontAxis(node, axis, shape.length)));
  if (gone.size !== axes.length) fail(node, `expected each axis once, received [${axes}]`);
  const isGone = (i: number) => gone.size === 0 || gone.has(i);
  return shape.flatMap((dim, i): Dim[] => (isGone(i) ? (keep ? [1] : []) : [dim]));
}

/** ArgMax, ArgMin: int64 indices along one axis. */
export const argReduce: ShapeRule = (context) => {
  const { node, inputs } = context;
  const shape = inputs[0]?.shape;
  if (shape === undefined) return single('int64', undefined);
  const keep = intOf(node, 'keepdims', 1) === 1;
  return single('int64', withoutAxes(context, shape, [intOf(node, 'axis', 0)], keep));
};
