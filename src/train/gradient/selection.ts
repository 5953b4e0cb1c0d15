/** Operators that pick elements by index or condition: the seed goes back where it came from. */
import { intOf } from '../../ir/attributes.js';
import { elementCount } from '../../util/tensor.js';
import { frontAxis, type GradientContext, type GradientRule, range } from './rule.js';

/** Where: the seed to the branch that was taken. */
export const where: GradientRule = (c) =>
  c.each((i) => {
    if (i === 0) return undefined;
    const zero = c.scalar(0);
    return i === 1 ? c.where(c.x(0), c.dy, zero) : c.where(c.x(0), zero, c.dy);
  });

/** Gather: the seed added into zeros at the indices. */
export const gather: GradientRule = (c) => {
  const dims = c.dims(c.x(0));
  const axis = frontAxis(intOf(c.node, 'axis', 0), dims.length);
  const count = elementCount(c.dims(c.x(1)));
  const rows = dims.map((size, i) => (i === axis ? count : size));
  const column = dims.map((_, i) => (i === axis ? count : 1));
  const indices = c.expand(c.reshape(c.x(1), column), rows);
  return [addAt(c, dims, indices, c.reshape(c.dy, rows), axis), undefined];
};

/** Zeros of `dims` with `updates` added at `indices` along `axis`. */
export function addAt(
  c: GradientContext,
  dims: readonly number[],
  indices: string,
  updates: string,
  axis: number,
): string {
  const zeros = c.zeros(dims, updates);
  return c.op('ScatterElements', [zeros, indices, updates], { axis, reduction: 'add' });
}

/** OneHot: its two values take the sum of the seed where each was written. */
export const oneHot: GradientRule = (c) => {
  const axis = intOf(c.node, 'axis', -1);
  const hot = c.op('OneHot', [c.x(0), c.x(1), c.tensor([2], [0, 1])], { axis });
  const axes = range(c.dims(c.dy).length);
  const on = c.reduceSum(c.mul(c.dy, hot), axes);
  const off = c.sub(c.reduceSum(c.dy, axes), on);
  const parts = [off, on].map((part) => c.reshape(part, [1]));
  return [undefined, undefined, c.op('Concat', parts, { axis: 0 })];
};
