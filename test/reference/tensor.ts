/** Dense float64 tensors with the index arithmetic that the interpreter needs. */
import type { ElementType } from '../../src/util/tensor.js';

export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float64Array;
  /** What the numbers stand for, for operators that ask: a float where it is absent. */
  readonly dtype?: ElementType;
}

export function tensor(dims: readonly number[], data: ArrayLike<number>): Tensor {
  return { dims, data: Float64Array.from(data) };
}

export function zeros(dims: readonly number[]): Tensor {
  return { dims, data: new Float64Array(size(dims)) };
}

export function scalar(value: number): Tensor {
  return tensor([], [value]);
}

export function size(dims: readonly number[]): number {
  return dims.reduce((product, d) => product * d, 1);
}

/** Every index of a tensor with these dims, in row-major order. */
export function* indices(dims: readonly number[]): Generator<number[]> {
  const index = dims.map(() => 0);
  const total = size(dims);
  for (let n = 0; n < total; n++) {
    yield [...index];
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      index[axis] = at(index, axis) + 1;
      if (at(index, axis) < at(dims, axis)) break;
      index[axis] = 0;
    }
  }
}

/** Element of a list; fails where there is none. */
export function at(list: ArrayLike<number>, i: number): number {
  const value = list[i];
  if (value === undefined) throw new RangeError(`index ${i} of ${list.length}`);
  return value;
}

export function offset(dims: readonly number[], index: readonly number[]): number {
  return dims.reduce((sum, d, i) => sum * d + at(index, i), 0);
}

export function get(t: Tensor, index: readonly number[]): number {
  return at(t.data, offset(t.dims, index));
}

/** A tensor from a function of the index. */
export function generate(dims: readonly number[], value: (index: number[]) => number): Tensor {
  const result = zeros(dims);
  let n = 0;
  for (const index of indices(dims)) result.data[n++] = value(index);
  return result;
}

export function map(t: Tensor, value: (x: number) => number): Tensor {
  return { dims: t.dims, data: t.data.map(value) };
}

/** Dims of several tensors broadcast together. */
export function broadcastDims(all: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...all.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, i) =>
    all.reduce((out, dims) => {
      const d = dims[i - rank + dims.length] ?? 1;
      if (d !== 1 && out !== 1 && d !== out) throw new RangeError(`broadcast ${d} with ${out}`);
      return d === 1 ? out : d;
    }, 1),
  );
}

/** Element of `t` under the index of a larger tensor that it is broadcast to. */
export function getBroadcast(t: Tensor, index: readonly number[]): number {
  const lead = index.length - t.dims.length;
  return get(
    t,
    t.dims.map((d, i) => (d === 1 ? 0 : at(index, i + lead))),
  );
}

export function broadcast(tensors: readonly Tensor[], value: (...x: number[]) => number): Tensor {
  const dims = broadcastDims(tensors.map((t) => t.dims));
  return generate(dims, (index) => value(...tensors.map((t) => getBroadcast(t, index))));
}

/** Reduces the listed axes (kept with size 1) by folding their elements in order. */
export function reduce(
  t: Tensor,
  axes: readonly number[],
  start: number,
  fold: (sum: number, x: number) => number,
): Tensor {
  const result = zeros(t.dims.map((d, i) => (axes.includes(i) ? 1 : d)));
  result.data.fill(start);
  for (const index of indices(t.dims)) {
    const place = offset(
      result.dims,
      index.map((n, i) => (axes.includes(i) ? 0 : n)),
    );
    result.data[place] = fold(at(result.data, place), get(t, index));
  }
  return result;
}

export function reshape(t: Tensor, dims: readonly number[]): Tensor {
  if (size(dims) !== t.data.length) throw new RangeError(`reshape [${t.dims}] to [${dims}]`);
  return { dims, data: t.data };
}

export function transpose(t: Tensor, perm: readonly number[]): Tensor {
  const dims = perm.map((axis) => at(t.dims, axis));
  return generate(dims, (index) => {
    const from = t.dims.map(() => 0);
    perm.forEach((axis, i) => {
      from[axis] = at(index, i);
    });
    return get(t, from);
  });
}
