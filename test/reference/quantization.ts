/** Affine quantisation from the formulas of ONNX. The interpreter knows no element types: uint8. */
import { intOf } from '../../src/ir/attributes.js';
import { type Kernels, need, positive } from './kernel.js';
import { at, generate, get, type Tensor } from './tensor.js';

function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** The parameter of each element: one for all, or one per index of the axis. */
function along(parameter: Tensor | undefined, axis: number) {
  return (index: readonly number[]): number => {
    if (parameter === undefined) return 0;
    return at(parameter.data, parameter.data.length === 1 ? 0 : at(index, axis));
  };
}

export const quantization: Kernels = {
  QuantizeLinear: (node, inputs) => {
    const x = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', 1), x.dims.length);
    const [scale, zero] = [along(need(inputs, 1), axis), along(inputs[2], axis)];
    const quantize = (index: number[]) => roundHalfEven(get(x, index) / scale(index)) + zero(index);
    return [generate(x.dims, (index) => Math.min(255, Math.max(0, quantize(index))))];
  },
  DequantizeLinear: (node, inputs) => {
    const q = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', 1), q.dims.length);
    const [scale, zero] = [along(need(inputs, 1), axis), along(inputs[2], axis)];
    return [generate(q.dims, (index) => scale(index) * (get(q, index) - zero(index)))];
  },
};
