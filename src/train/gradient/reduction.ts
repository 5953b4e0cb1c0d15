/** Reductions: the seed is spread back over the reduced axes. */
import { intOf } from '../../ir/attributes.js';
import {
  countAlong,
  frontAxis,
  type GradientContext,
  type GradientRule,
  keptDims,
  range,
} from './rule.js';

/** Axes counted from the front; none listed means all, unless the node says to do nothing then. */
export function reducedAxes(c: GradientContext): number[] {
  const rank = c.dims(c.x()).length;
  const listed = c.ints('axes', 1) ?? [];
  if (listed.length > 0) return listed.map((axis) => frontAxis(axis, rank));
  return intOf(c.node, 'noop_with_empty_axes', 0) === 1 ? [] : range(rank);
}

/** dxᵢ = dy */
export const reduceSum: GradientRule = (c) => [spread(c, reducedAxes(c), 1)];

/** dxᵢ = dy / count */
export const reduceMean: GradientRule = (c) => {
  const axes = reducedAxes(c);
  return [spread(c, axes, 1 / countAlong(c.dims(c.x()), axes))];
};

/** The seed times a factor for every element that was reduced. */
export function spread(c: GradientContext, axes: readonly number[], factor: number): string {
  const dims = c.dims(c.x());
  return c.expand(c.reshape(c.scale(c.dy, factor), keptDims(dims, axes)), dims);
}

/** The seed in equal shares to the elements that equal the extremum (as PyTorch's amax has it). */
export const reduceExtremum: GradientRule = (c) => [share(c, reducedAxes(c))];

/** GlobalAveragePool: dxᵢ = dy / count over all spatial axes. */
export const globalAveragePool: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const axes = range(dims.length).slice(2);
  return [spread(c, axes, 1 / countAlong(dims, axes))];
};

/** GlobalMaxPool: as ReduceMax over all spatial axes. */
export const globalMaxPool: GradientRule = (c) => [share(c, range(c.dims(c.x()).length).slice(2))];

function share(c: GradientContext, axes: readonly number[]): string {
  const kept = keptDims(c.dims(c.x()), axes);
  const equal = c.op('Equal', [c.x(), c.reshape(c.y, kept)]);
  const ones = c.where(equal, c.scalar(1), c.scalar(0));
  const count = axes.length === 0 ? ones : c.reduceSum(ones, axes, 1);
  return c.mul(ones, c.div(c.reshape(c.dy, kept), count));
}
