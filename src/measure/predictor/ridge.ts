/**
 * The honest baseline: ridge regression on operator counts (times shapes, where the schema has
 * them), columns standardised, the penalty chosen by leave-one-out error.
 */
import { mean, stddev } from '../statistics.js';
import type { Features, FittedModel, Sample } from './features.js';
import {
  cholesky,
  dot,
  type Matrix,
  rowProducts,
  solveCholesky,
  solveLower,
  transpose,
  type Vector,
  withDiagonal,
} from './linear-algebra.js';

/** Penalties tried, relative to the sum of squares of a column. */
const PENALTIES = [1e-6, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/** Fits the ridge to at least two samples. */
export function fitRidge(samples: readonly Sample[]): FittedModel {
  const n = samples.length;
  const values = samples.map(({ value }) => value);
  const centre = mean(values);
  const residuals = Float64Array.from(values, (value) => value - centre);
  const columns = transpose(samples.map(({ features }) => Float64Array.from(features.counts)));
  const means = columns.map((column) => mean(column));
  const scales = columns.map((column) => stddev(column));
  const standardize = ({ counts }: Features) =>
    Float64Array.from(counts, (count, j) => {
      const scale = scales[j] as number;
      return scale > 0 ? (count - (means[j] as number)) / scale : 0;
    });
  const rows = samples.map(({ features }) => standardize(features));
  const turned = transpose(rows);
  const gram = rowProducts(turned);
  const target = Float64Array.from(turned, (column) => dot(column, residuals));
  const fits = PENALTIES.map((penalty) => {
    const lower = cholesky(withDiagonal(gram, penalty * n));
    const weights = solveCholesky(lower, target);
    return { lower, weights, error: looError(rows, residuals, lower, weights) };
  });
  const best = fits.reduce((a, b) => (b.error < a.error ? b : a));
  const sigma = Math.sqrt(best.error / n);
  return {
    estimate(features) {
      const row = standardize(features);
      const leverage = 1 / n + leverageOf(row, best.lower);
      return { value: centre + dot(row, best.weights), stddev: sigma * Math.sqrt(1 + leverage) };
    },
  };
}

function leverageOf(row: Vector, lower: Matrix): number {
  const half = solveLower(lower, row);
  return dot(half, half);
}

/** Sum of squared leave-one-out residuals, from the hat matrix (the mean is an unpenalised column). */
function looError(rows: readonly Vector[], residuals: Vector, lower: Matrix, weights: Vector) {
  return rows.reduce((sum, row, i) => {
    const free = Math.max(1e-9, 1 - 1 / rows.length - leverageOf(row, lower));
    return sum + (((residuals[i] as number) - dot(row, weights)) / free) ** 2;
  }, 0);
}
