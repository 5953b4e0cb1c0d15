/**
 * What a process says of a fixed pool of points, kept up to date point by point as the process learns:
 * a new point costs O(pool × size) instead of the O(pool × size²) of starting again.
 */
import {
  type GaussianProcess,
  matern52,
  signalVariance,
  squaredDistance,
} from './gaussian-process.js';
import { flatten } from './rows.js';

export interface Prediction {
  readonly mean: Float64Array;
  /** Standard deviation of the function, without the noise of an observation. */
  readonly deviation: Float64Array;
  /** Standard deviation of an observation: with its noise. */
  readonly spread: Float64Array;
}

export class PoolPosterior {
  readonly #process: GaussianProcess;
  /** [points, features], one after the other. */
  readonly #pool: Float64Array;
  readonly #count: number;
  /** L⁻¹ K(known, pool), a row for each known point. */
  readonly #rows: Float64Array[] = [];
  /** Prior variance less what is known, in units of the signal variance. */
  readonly #variance: Float64Array;

  constructor(process: GaussianProcess, pool: readonly Float64Array[]) {
    this.#process = process;
    this.#count = pool.length;
    this.#pool = flatten(pool);
    this.#variance = new Float64Array(this.#count).fill(1);
  }

  /** Mean and spread at each point of the pool, of targets less `offset`, one per point known here. */
  predict(targets: readonly number[], offset = 0): Prediction {
    const whitened = this.#process.whitenTargets(targets);
    const scale = signalVariance(whitened);
    const mean = new Float64Array(this.#count).fill(offset);
    addRows(mean, this.#rows, whitened, 1);
    const { noise } = this.#process.shape;
    const deviation = new Float64Array(this.#count);
    const spread = new Float64Array(this.#count);
    for (let c = 0; c < this.#count; c++) {
      const variance = this.#variance[c] as number;
      deviation[c] = Math.sqrt(scale * Math.max(variance, 1e-9));
      spread[c] = Math.sqrt(scale * (Math.max(variance, 0) + noise));
    }
    return { mean, deviation, spread };
  }

  /** Learns the next point that the process knows and this does not. */
  extend(): void {
    const known = this.#rows.length;
    const factor = this.#process.factorRow(known);
    const row = this.#kernelsTo(this.#process.point(known));
    addRows(row, this.#rows, factor, -1);
    const diagonal = factor[known] as number;
    for (let c = 0; c < row.length; c++) {
      const value = (row[c] as number) / diagonal;
      row[c] = value;
      this.#variance[c] = (this.#variance[c] as number) - value * value;
    }
    this.#rows.push(row);
  }

  #kernelsTo(point: Float64Array): Float64Array {
    const { lengthscale } = this.#process.shape;
    const width = point.length;
    const kernels = new Float64Array(this.#count);
    for (let c = 0; c < kernels.length; c++) {
      kernels[c] = matern52(squaredDistance(this.#pool, point, c * width), lengthscale);
    }
    return kernels;
  }
}

/** sum += sign · Σ weights[i] · rows[i], four rows at a time: a pass over `sum` costs as much as a row. */
function addRows(
  sum: Float64Array,
  rows: readonly Float64Array[],
  weights: Float64Array,
  sign: 1 | -1,
): void {
  let i = 0;
  for (; i + 4 <= rows.length; i += 4) {
    const a = rows[i] as Float64Array;
    const b = rows[i + 1] as Float64Array;
    const c = rows[i + 2] as Float64Array;
    const d = rows[i + 3] as Float64Array;
    const wa = sign * (weights[i] as number);
    const wb = sign * (weights[i + 1] as number);
    const wc = sign * (weights[i + 2] as number);
    const wd = sign * (weights[i + 3] as number);
    for (let k = 0; k < sum.length; k++) {
      sum[k] =
        (sum[k] as number) +
        (wa * (a[k] as number) +
          wb * (b[k] as number) +
          (wc * (c[k] as number) + wd * (d[k] as number)));
    }
  }
  for (; i < rows.length; i++) {
    const row = rows[i] as Float64Array;
    const weight = sign * (weights[i] as number);
    for (let k = 0; k < sum.length; k++) sum[k] = (sum[k] as number) + weight * (row[k] as number);
  }
}
