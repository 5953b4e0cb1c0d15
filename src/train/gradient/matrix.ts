/** Matrix products. */
import { floatOf, intOf } from '../../ir/attributes.js';
import { elementCount } from '../../util/tensor.js';
import { type GradientContext, type GradientRule, range } from './rule.js';

/** Y = αA′B′ + βC: dA′ = α·dY·B′ᵀ, dB′ = α·A′ᵀ·dY, dC = β·dY (′: transposed where the node says so). */
export const gemm: GradientRule = (c) => {
  const alpha = floatOf(c.node, 'alpha', 1);
  const transA = intOf(c.node, 'transA', 0);
  const transB = intOf(c.node, 'transB', 0);
  const product = (a: string, b: string, ta: number, tb: number) =>
    c.op('Gemm', [a, b], { alpha, transA: ta, transB: tb });
  return c.each((i) => {
    if (i === 2) return c.scale(c.dy, floatOf(c.node, 'beta', 1));
    if (i === 0) {
      return transA ? product(c.x(1), c.dy, transB, 1) : product(c.dy, c.x(1), 0, 1 - transB);
    }
    return transB ? product(c.dy, c.x(0), 1, transA) : product(c.x(0), c.dy, 1 - transA, 0);
  });
};

/**
 * Y = AB over broadcast batches: dA = dY·Bᵀ, dB = Aᵀ·dY, summed over stretched batches. A vector on
 * the left is a row, on the right a column. One matrix on the right of many is one tall product.
 */
export const matMul: GradientRule = (c) => {
  const dimsA = c.dims(c.x(0));
  const dimsB = c.dims(c.x(1));
  const row = dimsA.length === 1;
  const column = dimsB.length === 1;
  const a = c.reshape(c.x(0), row ? [1, ...dimsA] : dimsA);
  const b = c.reshape(c.x(1), column ? [...dimsB, 1] : dimsB);
  const inner = dimsA[dimsA.length - 1] as number;
  const rows = row ? 1 : (dimsA[dimsA.length - 2] as number);
  const columns = column ? 1 : (dimsB[dimsB.length - 1] as number);
  const batch = c.dims(c.y).slice(0, c.dims(c.y).length - (row ? 0 : 1) - (column ? 0 : 1));
  const dy = c.reshape(c.dy, [...batch, rows, columns]);
  return c.node.inputs.map((_, i) => {
    if (!c.wants[i]) return undefined;
    if (i === 0) {
      const full = c.op('MatMul', [dy, transposed(c, b)]);
      return c.reshape(c.sumTo(full, c.dims(a)), dimsA);
    }
    if (c.dims(b).length === 2 && c.dims(a).length > 2) {
      const count = elementCount(batch) * rows;
      const tall = c.op('Gemm', [c.reshape(a, [count, inner]), c.reshape(dy, [count, columns])], {
        transA: 1,
      });
      return c.reshape(tall, dimsB);
    }
    const full = c.op('MatMul', [transposed(c, a), dy]);
    return c.reshape(c.sumTo(full, c.dims(b)), dimsB);
  });
};

function transposed(c: GradientContext, value: string): string {
  const rank = c.dims(value).length;
  return c.transpose(value, [...range(rank - 2), rank - 1, rank - 2]);
}
