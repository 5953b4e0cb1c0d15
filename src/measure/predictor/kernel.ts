/**
 * A model over the whole graph: the additive model's estimate times a smooth correction, a Gaussian
 * process in the logarithms of the account's terms. What the parts do to each other (caches that
 * overflow, cores that starve) shows there; far from the samples it falls back to the sum of parts.
 *
 * Its length, height and noise are chosen by evidence from a grid (Rasmussen and Williams, "Gaussian
 * Processes for Machine Learning", 2006, chapter 5).
 */
import { mean, stddev } from '../statistics.js';
import type { Features, FittedModel, Sample } from './features.js';
import {
  cholesky,
  dot,
  solveCholesky,
  solveLower,
  transpose,
  type Vector,
} from './linear-algebra.js';

/** Lengths in standard deviations of the columns, for each square root of their number. */
const LENGTHS = [0.5, 1.5, 4];
/** Standard deviation of the correction's logarithm. */
const HEIGHTS = [0.05, 0.15, 0.4];
const NOISES = [0.01, 0.04, 0.1, 0.25];
/** Terms are compared by log(this share of their mean + term). */
const LOG_FLOOR = 0.3;
/** Least estimate that is corrected, relative to the mean value. */
const LEAST = 0.02;

/** How far and how high corrections reach, and how loud the noise is. */
export interface KernelSettings {
  /** In standard deviations of the columns, scaled by their number. */
  readonly length: number;
  /** Standard deviation of the correction's logarithm. */
  readonly height: number;
  readonly noise: number;
}

export interface KernelModel extends FittedModel {
  readonly settings: KernelSettings;
}

/**
 * @param outOfFold what `additive`'s kind says of each sample when fitted without it.
 * @param additive fitted to all samples.
 * @param given settings to use instead of those with the most evidence.
 */
export function fitKernel(
  samples: readonly Sample[],
  outOfFold: readonly number[],
  additive: FittedModel,
  given?: KernelSettings,
): KernelModel {
  const least = LEAST * mean(samples.map(({ value }) => value));
  const targets = Float64Array.from(samples, ({ value }, i) =>
    Math.log(Math.max(value, least) / Math.max(outOfFold[i] as number, least)),
  );
  const embed = createEmbedding(samples);
  const points = samples.map(({ features }) => embed(features));
  const distances = points.map((a) => Float64Array.from(points, (b) => squaredDistance(a, b)));
  const grid = given === undefined ? allSettings() : [given];
  const fits = grid.map((settings) => fitGrid(distances, targets, settings));
  const best = fits.reduce((a, b) => (b.logEvidence > a.logEvidence ? b : a));
  const { length, height, noise } = best.settings;
  return {
    settings: best.settings,
    estimate(features) {
      const base = additive.estimate(features);
      const value = Math.max(base.value, least);
      const point = embed(features);
      const near = Float64Array.from(points, (other) =>
        similarity(squaredDistance(point, other), length, height),
      );
      const known = solveLower(best.lower, near);
      const variance = Math.max(0, height ** 2 - dot(known, known)) + noise ** 2;
      const corrected = value * Math.exp(dot(near, best.weights));
      return { value: corrected, stddev: corrected * Math.sqrt(variance) };
    },
  };
}

function allSettings(): KernelSettings[] {
  return LENGTHS.flatMap((length) =>
    HEIGHTS.flatMap((height) => NOISES.map((noise) => ({ length, height, noise }))),
  );
}

function similarity(distance: number, length: number, height: number): number {
  return height ** 2 * Math.exp((-0.5 * distance) / length ** 2);
}

function fitGrid(distances: readonly Vector[], targets: Vector, settings: KernelSettings) {
  const { length, height, noise } = settings;
  const covariance = distances.map((row, i) =>
    row.map((distance, j) => similarity(distance, length, height) + (i === j ? noise ** 2 : 0)),
  );
  const lower = cholesky(covariance);
  const weights = solveCholesky(lower, targets);
  const logDet = lower.reduce((sum, row, i) => sum + Math.log(row[i] as number), 0);
  return { settings, lower, weights, logEvidence: -0.5 * dot(targets, weights) - logDet };
}

/** Logarithms of the first account's terms, standardised, scaled so that distances are about 1. */
function createEmbedding(samples: readonly Sample[]): (features: Features) => Vector {
  const termsOf = ({ accounts }: Features) => accounts[0] ?? [];
  const columns = transpose(samples.map(({ features }) => Float64Array.from(termsOf(features))));
  const floors = columns.map((column) => LOG_FLOOR * mean(column));
  const log = (value: number, j: number) => Math.log((floors[j] as number) + Math.max(value, 0));
  const logs = columns.map((column, j) => column.map((value) => log(value, j)));
  const spreads = logs.map((column) => stddev(column));
  const used = columns.flatMap((_, j) => ((spreads[j] as number) > 1e-9 ? [j] : []));
  const centres = logs.map((column) => mean(column));
  return (features) => {
    const terms = termsOf(features);
    return Float64Array.from(used, (j) => {
      const standard =
        (log(terms[j] as number, j) - (centres[j] as number)) / (spreads[j] as number);
      return standard / Math.sqrt(2 * used.length);
    });
  };
}

function squaredDistance(a: Vector, b: Vector): number {
  return a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0);
}
