/** Operators that pick elements by index or condition: the seed goes back where it came from. */
import { intOf, stringOf } from '../../ir/attributes.js';
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

/**
 * ScatterElements, without reduction or with `add`: updates take the seed at their indices; data
 * keeps the seed where nothing was written (everywhere for `add`).
 */
export const scatterElements: GradientRule = (c) => {
  const reduction = stringOf(c.node, 'reduction', 'none');
  if (reduction !== 'none' && reduction !== 'add') {
    throw c.refuse(`reduction expected none or add, received ${reduction}`);
  }
  const axis = intOf(c.node, 'axis', 0);
  const zeros = () => c.zeros(c.dims(c.x(2)), c.dy);
  const data = () =>
    reduction === 'add' ? c.dy : c.op('ScatterElements', [c.dy, c.x(1), zeros()], { axis });
  return [
    c.wants[0] ? data() : undefined,
    undefined,
    c.wants[2] ? takeAlong(c, c.dy, c.x(1), axis) : undefined,
  ];
};

/** The elements of `value` at `indices` along one axis: a Gather from the flat tensor. */
function takeAlong(c: GradientContext, value: string, indices: string, rawAxis: number): string {
  const dims = c.dims(value);
  const axis = frontAxis(rawAxis, dims.length);
  const strides = dims.map((_, i) => elementCount(dims.slice(i + 1)));
  const shape = c.dims(indices);
  const stride = c.builder.scalar(strides[axis] as number, 'int64');
  const size = c.builder.scalar(dims[axis] as number, 'int64');
  const wrapped = c.where(
    c.op('Less', [indices, c.builder.scalar(0, 'int64')]),
    c.add(indices, size),
    indices,
  );
  let flat = c.mul(wrapped, stride);
  for (const other of range(dims.length)) {
    if (other === axis) continue;
    const count = shape[other] as number;
    const offsets = BigInt64Array.from(range(count), (i) => BigInt(i * (strides[other] as number)));
    const column = shape.map((_, i) => (i === other ? count : 1));
    flat = c.add(flat, c.builder.constant({ dtype: 'int64', dims: column, data: offsets }));
  }
  return c.op('Gather', [c.reshape(value, [elementCount(dims)]), flat], { axis: 0 });
}
