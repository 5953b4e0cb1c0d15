/** Affine quantisation and arithmetic on quantised tensors, from the formulas of ONNX. */
import { intOf } from '../../src/ir/attributes.js';
import { elementTypeOf } from '../../src/ir/element-codes.js';
import type { ElementType } from '../../src/util/tensor.js';
import { type Kernels, need, positive } from './kernel.js';
import { matMul } from './matrix.js';
import { conv } from './sliding.js';
import { isSmallFloat, roundSmallFloat } from './small-float.js';
import { at, generate, get, map, scalar, type Tensor } from './tensor.js';

const limits: Readonly<Partial<Record<ElementType, readonly [number, number]>>> = {
  int2: [-2, 1],
  uint2: [0, 3],
  int4: [-8, 7],
  uint4: [0, 15],
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** `x` as the quantised type holds it. */
function saturate(x: number, dtype: ElementType): number {
  const [low, high] = limits[dtype] ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return Math.min(high, Math.max(low, x));
}

/** The parameter of each element: one for all, one per index of the axis, or one per block along it. */
function along(parameter: Tensor | undefined, axis: number, blockSize: number) {
  return (index: readonly number[]): number => {
    if (parameter === undefined) return 0;
    if (parameter.data.length === 1) return at(parameter.data, 0);
    if (parameter.dims.length === 1) return at(parameter.data, at(index, axis));
    return get(
      parameter,
      index.map((place, i) => (i === axis ? Math.floor(place / blockSize) : place)),
    );
  };
}

/** Per output: x and w without their zero points, those of w per row or column where there are many. */
function centred(x: Tensor, zero: Tensor | undefined, axis: number): Tensor {
  const zeroAt = along(zero, axis, 1);
  return generate(x.dims, (index) => get(x, index) - zeroAt(index));
}

function requantize(
  sum: Tensor,
  factor: (index: readonly number[]) => number,
  zero: Tensor,
): Tensor {
  const dtype = zero.dtype ?? 'uint8';
  const offset = at(zero.data, 0);
  return {
    ...generate(sum.dims, (index) =>
      saturate(roundHalfEven(get(sum, index) * factor(index)) + offset, dtype),
    ),
    dtype,
  };
}

export const quantized: Kernels = {
  ConvInteger: (node, inputs) => [
    conv(
      node,
      centred(need(inputs, 0), inputs[2], 0),
      centred(need(inputs, 1), inputs[3], 0),
      undefined,
    ),
  ],
  DequantizeLinear: (node, inputs) => {
    const q = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', 1), q.dims.length);
    const block = intOf(node, 'block_size', 0);
    const [scale, zero] = [along(need(inputs, 1), axis, block), along(inputs[2], axis, block)];
    return [generate(q.dims, (index) => scale(index) * (get(q, index) - zero(index)))];
  },
  DynamicQuantizeLinear: (_, inputs) => {
    const x = need(inputs, 0);
    const low = x.data.reduce((least, v) => Math.min(least, v), 0);
    const high = x.data.reduce((most, v) => Math.max(most, v), 0);
    const scale = (high - low) / 255;
    const zero = roundHalfEven(saturate(-low / scale, 'uint8'));
    const y = map(x, (v) => saturate(roundHalfEven(v / scale) + zero, 'uint8'));
    return [{ ...y, dtype: 'uint8' }, scalar(scale), { ...scalar(zero), dtype: 'uint8' }];
  },
  MatMulInteger: (_, inputs) => {
    const [a, b] = [need(inputs, 0), need(inputs, 1)];
    const left = centred(a, inputs[2], a.dims.length - 2);
    return [matMul(left, centred(b, inputs[3], b.dims.length - 1))];
  },
  QLinearConv: (node, inputs) => {
    const [x, w, wScale] = [need(inputs, 0), need(inputs, 3), need(inputs, 4)];
    const sum = conv(node, centred(x, inputs[2], 0), centred(w, inputs[5], 0), inputs[8]);
    const [xScale, yScale] = [at(need(inputs, 1).data, 0), at(need(inputs, 6).data, 0)];
    const rowScale = along(wScale, 1, 1);
    return [requantize(sum, (i) => (xScale * rowScale(i)) / yScale, need(inputs, 7))];
  },
  QLinearMatMul: (_, inputs) => {
    const [a, b] = [need(inputs, 0), need(inputs, 3)];
    const left = centred(a, inputs[2], a.dims.length - 2);
    const sum = matMul(left, centred(b, inputs[5], b.dims.length - 1));
    const [aScale, bScale] = [
      along(inputs[1], sum.dims.length - 2, 1),
      along(inputs[4], sum.dims.length - 1, 1),
    ];
    const yScale = at(need(inputs, 6).data, 0);
    return [requantize(sum, (i) => (aScale(i) * bScale(i)) / yScale, need(inputs, 7))];
  },
  QuantizeLinear: (node, inputs) => {
    const x = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', 1), x.dims.length);
    const block = intOf(node, 'block_size', 0);
    const [scale, zero] = [along(need(inputs, 1), axis, block), along(inputs[2], axis, block)];
    const dtype = inputs[2]?.dtype ?? elementTypeOf(intOf(node, 'output_dtype', 0)) ?? 'uint8';
    const quantize = (index: number[]): number => {
      const value = get(x, index) / scale(index);
      return isSmallFloat(dtype)
        ? roundSmallFloat(dtype, value + zero(index), intOf(node, 'saturate', 1) === 1)
        : saturate(roundHalfEven(value) + zero(index), dtype);
    };
    return [{ ...generate(x.dims, quantize), dtype }];
  },
};
