import { decodeBfloat16, decodeFloat16 } from '../../src/util/half.js';
import type { ElementType, HostTensor } from '../../src/util/tensor.js';
import { decodeSmallFloat, isSmallFloat } from './small-float.js';
import { type Tensor, tensor } from './tensor.js';

/** A stored tensor as numbers. */
export function fromHost({ dtype, dims, data }: HostTensor): Tensor {
  const halves: Partial<Record<ElementType, (bits: number) => number>> = {
    float16: decodeFloat16,
    bfloat16: decodeBfloat16,
  };
  const decode =
    halves[dtype] ??
    (isSmallFloat(dtype) ? (code: number) => decodeSmallFloat(dtype, code) : Number);
  return {
    ...tensor(
      dims,
      Array.from(data as ArrayLike<number | bigint>, (v) => decode(Number(v))),
    ),
    dtype,
  };
}
