/** Further products, transforms and determinants. */
import type { algebraSchemas } from '../../ir/schema/algebra.js';
import { einsum } from './einsum.js';
import { dft, stft } from './fourier.js';
import { type GradientRow, type GradientRule, range } from './rule.js';

/** Largest matrix whose adjugate is computed well enough in float32. */
const MAX_DET = 16;

/**
 * d det A = tr(adj(A)·dA). The adjugate by Faddeev and LeVerrier, which needs no inverse and holds for
 * singular matrices: M₁ = I, Mₖ₊₁ = A·Mₖ − tr(A·Mₖ)/k·I, adj(A) = (−1)ⁿ⁻¹·Mₙ.
 */
const det: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const n = dims.at(-1) as number;
  if (n < 1 || n > MAX_DET) throw c.refuse(`expected matrices of 1 to ${MAX_DET}, received ${n}`);
  const axes = [dims.length - 2, dims.length - 1];
  const identity = c.tensor(
    [n, n],
    range(n * n).map((i) => (i % (n + 1) === 0 ? 1 : 0)),
  );
  let adjugate = identity;
  for (let k = 1; k < n; k++) {
    const product = k === 1 ? c.x() : c.op('MatMul', [c.x(), adjugate]);
    const trace = c.reduceSum(c.mul(product, identity), axes, 1);
    adjugate = c.sub(product, c.mul(c.div(trace, c.scalar(k)), identity));
  }
  const rank = c.dims(adjugate).length;
  const cofactors = c.transpose(adjugate, [...range(rank - 2), rank - 1, rank - 2]);
  const seed = c.reshape(c.dy, [...dims.slice(0, -2), 1, 1]);
  return [c.mul(c.scale(seed, n % 2 === 0 ? -1 : 1), cofactors)];
};

export const algebraGradients: Readonly<Record<keyof typeof algebraSchemas, GradientRow>> = {
  DFT: dft,
  Det: det,
  Einsum: einsum,
  STFT: stft,
};
