/**
 * The honest baseline: ridge regression on operator counts (times shapes, where the schema has
 * them), columns standardised, the penalty chosen by leave-one-out error.
 */
import { mean, stddev } from '../statistics.js';
import type { Features, FittedModel, Sample } from './features.js';
import { dot, rowProducts, symmetricEigen, transpose, type Vector } from './linear-algebra.js';

/** Penalties tried, relative to the sum of squares of a column. */
const PENALTIES = [1e-6, 1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1];

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
  const { values: spectrum, vectors } = symmetricEigen(rowProducts(transpose(rows)));
  const turned = rows.map((row) => Float64Array.from(vectors, (vector) => dot(vector, row)));
  const target = Float64Array.from(vectors, (_, k) =>
    turned.reduce((sum, row, i) => sum + (row[k] as number) * (residuals[i] as number), 0),
  );
  const fits = PENALTIES.map((penalty) => {
    const shrunk = spectrum.map((value) => 1 / (Math.max(value, 0) + penalty * n));
    const weights = target.map((value, k) => value * (shrunk[k] as number));
    return { shrunk, weights, error: looError(turned, residuals, shrunk, weights) };
  });
  const best = fits.reduce((a, b) => (b.error < a.error ? b : a));
  const sigma = Math.sqrt(best.error / n);
  return {
    estimate(features) {
      const row = standardize(features);
      const x = Float64Array.from(vectors, (vector) => dot(vector, row));
      const leverage = 1 / n + leverageOf(x, best.shrunk);
      return { value: centre + dot(x, best.weights), stddev: sigma * Math.sqrt(1 + leverage) };
    },
  };
}

function leverageOf(x: Vector, shrunk: Vector): number {
  return x.reduce((sum, value, k) => sum + value * value * (shrunk[k] as number), 0);
}

/** Sum of squared leave-one-out residuals, from the hat matrix (the mean is an unpenalised column). */
function looError(rows: readonly Vector[], residuals: Vector, shrunk: Vector, weights: Vector) {
  return rows.reduce((sum, row, i) => {
    const free = Math.max(1e-9, 1 - 1 / rows.length - leverageOf(row, shrunk));
    return sum + (((residuals[i] as number) - dot(row, weights)) / free) ** 2;
  }, 0);
}
