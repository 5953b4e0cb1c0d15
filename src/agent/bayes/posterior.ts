/**
 * What a process says of a fixed pool of points, kept up to date as the process learns: a new point
 * costs O(pool × size) instead of the O(pool × size²) of starting again.
 */
import {
  type GaussianProcess,
  matern52,
  signalVariance,
  squaredDistance,
} from './gaussian-process.js';

export interface Prediction {
  readonly mean: Float64Array;
  /** Standard deviation of the function, without the noise of an observation. */
  readonly deviation: Float64Array;
  /** Standard deviation of an observation: with its noise. */
  readonly spread: Float64Array;
}

export class PoolPosterior {
  readonly #process: GaussianProcess;
  readonly #pool: readonly Float64Array[];
  /** L⁻¹ K(known, pool), a row for each known point. */
  readonly #rows: Float64Array[] = [];
  /** Prior variance less what is known, in units of the signal variance. */
  readonly #variance: Float64Array;

  constructor(process: GaussianProcess, pool: readonly Float64Array[]) {
    this.#process = process;
    this.#pool = pool;
    this.#variance = new Float64Array(pool.length).fill(1);
  }

  /** Mean and spread at each point of the pool, of zero-mean targets. */
  predict(targets: readonly number[]): Prediction {
    while (this.#rows.length < this.#process.size) this.#extend();
    const whitened = this.#process.whitenTargets(targets);
    const scale = signalVariance(whitened);
    const mean = new Float64Array(this.#pool.length);
    this.#rows.forEach((row, i) => {
      const weight = whitened[i] as number;
      for (let c = 0; c < mean.length; c++)
        mean[c] = (mean[c] as number) + weight * (row[c] as number);
    });
    const { noise } = this.#process.shape;
    return {
      mean,
      deviation: this.#variance.map((v) => Math.sqrt(scale * Math.max(v, 1e-9))),
      spread: this.#variance.map((v) => Math.sqrt(scale * (Math.max(v, 0) + noise))),
    };
  }

  #extend(): void {
    const known = this.#rows.length;
    const point = this.#process.point(known);
    const factor = this.#process.factorRow(known);
    const { lengthscale } = this.#process.shape;
    const row = Float64Array.from(this.#pool, (each) =>
      matern52(squaredDistance(each, point), lengthscale),
    );
    for (let j = 0; j < known; j++) {
      const weight = factor[j] as number;
      const earlier = this.#rows[j] as Float64Array;
      for (let c = 0; c < row.length; c++)
        row[c] = (row[c] as number) - weight * (earlier[c] as number);
    }
    const diagonal = factor[known] as number;
    for (let c = 0; c < row.length; c++) {
      const value = (row[c] as number) / diagonal;
      row[c] = value;
      this.#variance[c] = (this.#variance[c] as number) - value * value;
    }
    this.#rows.push(row);
  }
}
