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

/** ReduceSum, ReduceMean, ReduceMax, ReduceMin. */
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
function reducedAxes({ node, contents }: InferContext): readonly number[] | undefined {
  return hasInput(node, 1) ? numbersOf(contents[1]) : (intsOf(node, 'axes') ?? []);
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

/** ArgMax: int64 indices along one axis. */
export const argReduce: ShapeRule = (context) => {
  const { node, inputs } = context;
  const shape = inputs[0]?.shape;
  if (shape === undefined) return single('int64', undefined);
  const keep = intOf(node, 'keepdims', 1) === 1;
  return single('int64', withoutAxes(context, shape, [intOf(node, 'axis', 0)], keep));
};
