import { floatOf, intOf } from '../../src/ir/attributes.js';
import { type Kernels, need } from './kernel.js';
import type { Tensor } from './tensor.js';
import {
  at,
  broadcast,
  broadcastDims,
  generate,
  getBroadcast,
  reshape,
  transpose,
} from './tensor.js';

/** As numpy.matmul. */
export function matMul(left: Tensor, right: Tensor): Tensor {
  const row = left.dims.length === 1;
  const column = right.dims.length === 1;
  const a = row ? reshape(left, [1, ...left.dims]) : left;
  const b = column ? reshape(right, [...right.dims, 1]) : right;
  const inner = a.dims.at(-1) as number;
  if (inner !== b.dims.at(-2)) throw new RangeError(`[${a.dims}] times [${b.dims}]`);
  const batch = broadcastDims([a.dims.slice(0, -2), b.dims.slice(0, -2)]);
  const dims = [...batch, at(a.dims, a.dims.length - 2), at(b.dims, b.dims.length - 1)];
  const product = generate(dims, (index) => {
    const outer = index.slice(0, -2);
    const [i, j] = index.slice(-2) as [number, number];
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += getBroadcast(a, [...outer, i, k]) * getBroadcast(b, [...outer, k, j]);
    }
    return sum;
  });
  const rank = dims.length;
  return reshape(
    product,
    dims.filter((_, i) => !(row && i === rank - 2) && !(column && i === rank - 1)),
  );
}

export const matrix: Kernels = {
  Gemm: (node, inputs) => {
    const [a, b, c] = [need(inputs, 0), need(inputs, 1), inputs[2]];
    const left = intOf(node, 'transA', 0) ? transpose(a, [1, 0]) : a;
    const right = intOf(node, 'transB', 0) ? transpose(b, [1, 0]) : b;
    const alpha = floatOf(node, 'alpha', 1);
    const beta = floatOf(node, 'beta', 1);
    const product = matMul(left, right);
    if (c === undefined) return [broadcast([product], (x) => alpha * x)];
    return [broadcast([product, c], (x, y) => alpha * x + beta * y)];
  },
  MatMul: (_, inputs) => [matMul(need(inputs, 0), need(inputs, 1))],
};
