/**
 * Is what was timed the real computation? The outputs that a timed run left behind are compared
 * with those of a separate plain run of the same input. Both come from the same kernels, so only the
 * order of summation between threads may differ: the tolerance is relative to the largest value of
 * the tensor. Integers and booleans must be equal, 8-bit ones (quantised values) to one step.
 */

import { decodeBfloat16, decodeFloat16 } from '../util/half.js';
import type { ElementType, HostTensor } from '../util/tensor.js';

/** Difference ÷ largest magnitude in the tensor that rounding explains; 0 where nothing is said. */
const relativeTolerance: Partial<Readonly<Record<ElementType, number>>> = {
  float32: 1e-4,
  float64: 1e-9,
  float16: 1e-2,
  bfloat16: 5e-2,
};

/** Output tensors by name. */
export type Outputs = Readonly<Record<string, HostTensor>>;

/** Whether two sets of outputs are the same up to rounding; NaN equals NaN. */
export function isSameOutput(timed: Outputs, plain: Outputs): boolean {
  const names = Object.keys(timed);
  return (
    names.length === Object.keys(plain).length &&
    names.every((name) => {
      const other = plain[name];
      return other !== undefined && isSameTensor(timed[name] as HostTensor, other);
    })
  );
}

function isSameTensor(a: HostTensor, b: HostTensor): boolean {
  if (a.dtype !== b.dtype || a.data.length !== b.data.length) return false;
  if (a.dims.length !== b.dims.length || a.dims.some((dim, i) => dim !== b.dims[i])) return false;
  const left = decodeNumbers(a);
  const right = decodeNumbers(b);
  const quantised = a.dtype === 'int8' || a.dtype === 'uint8' ? 1 : 0;
  const tolerance = Math.max(quantised, (relativeTolerance[a.dtype] ?? 0) * largest(right));
  return left.every((value, i) => {
    const other = right[i] as number;
    return Object.is(value, other) || Math.abs(value - other) <= tolerance;
  });
}

/** The values as numbers, 16-bit floats decoded. */
export function decodeNumbers({ dtype, data }: HostTensor): Float64Array {
  if (dtype === 'float16') return Float64Array.from(data as Uint16Array, decodeFloat16);
  if (dtype === 'bfloat16') return Float64Array.from(data as Uint16Array, decodeBfloat16);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Float64Array.from(data, Number);
  }
  return Float64Array.from(data);
}

/** Largest finite magnitude. */
export function largest(values: Float64Array): number {
  return values.reduce(
    (max, value) => (Number.isFinite(value) ? Math.max(max, Math.abs(value)) : max),
    0,
  );
}
