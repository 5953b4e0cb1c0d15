/**
 * What a process says of a fixed pool of points, kept up to date as the process learns: a new point
 * costs O(pool × size) instead of the O(pool × size²) of starting again.
 */
import { type GaussianProcess, matern52, signalVariance } from './gaussian-process.js';

export interface Prediction {
  readonly mean: Float64Array;
  /** Standard deviation of the function, without the noise of an observation. */
  readonly deviation: Float64Array;
  /** Standard deviation of an observation: with its noise. */
  readonly spread: Float64Array;
}

/** Points of a block: its rows shall fit into the second cache together. */
const BLOCK = 512;

export class PoolPosterior {
  readonly #process: GaussianProcess;
  readonly #blocks: readonly Block[];

  constructor(process: GaussianProcess, pool: readonly Float64Array[]) {
    this.#process = process;
    this.#blocks = Array.from(
      { length: Math.ceil(pool.length / BLOCK) },
      (_, i) => new Block(process, pool.slice(i * BLOCK, (i + 1) * BLOCK)),
    );
  }

  /** Mean and spread at each point of the pool, of zero-mean targets. */
  predict(targets: readonly number[]): Prediction {
    const whitened = this.#process.whitenTargets(targets);
    const scale = signalVariance(whitened);
    const { noise } = this.#process.shape;
    const count = this.#blocks.reduce((sum, { size }) => sum + size, 0);
    const mean = new Float64Array(count);
    const deviation = new Float64Array(count);
    const spread = new Float64Array(count);
    this.#blocks.forEach((block, i) => {
      block.learn();
      const from = i * BLOCK;
      block.addMean(whitened, mean.subarray(from, from + block.size));
      block.variance.forEach((v, c) => {
        deviation[from + c] = Math.sqrt(scale * Math.max(v, 1e-9));
        spread[from + c] = Math.sqrt(scale * (Math.max(v, 0) + noise));
      });
    });
    return { mean, deviation, spread };
  }
}

class Block {
  readonly #process: GaussianProcess;
  /** [points, features], one after the other. */
  readonly #pool: Float64Array;
  readonly size: number;
  /** L⁻¹ K(known, pool), a row for each known point. */
  readonly #rows: Float64Array[] = [];
  /** Prior variance less what is known, in units of the signal variance. */
  readonly variance: Float64Array;

  constructor(process: GaussianProcess, pool: readonly Float64Array[]) {
    this.#process = process;
    this.size = pool.length;
    const width = pool[0]?.length ?? 0;
    this.#pool = new Float64Array(this.size * width);
    pool.forEach((point, i) => {
      this.#pool.set(point, i * width);
    });
    this.variance = new Float64Array(this.size).fill(1);
  }

  /** Catches up with the process. */
  learn(): void {
    while (this.#rows.length < this.#process.size) this.#extend();
  }

  /** Adds the mean at each point. */
  addMean(whitened: Float64Array, mean: Float64Array): void {
    addRows(mean, this.#rows, whitened, 1);
  }

  #extend(): void {
    const known = this.#rows.length;
    const factor = this.#process.factorRow(known);
    const row = this.#kernelsTo(this.#process.point(known));
    addRows(row, this.#rows, factor, -1);
    const diagonal = factor[known] as number;
    for (let c = 0; c < row.length; c++) {
      const value = (row[c] as number) / diagonal;
      row[c] = value;
      this.variance[c] = (this.variance[c] as number) - value * value;
    }
    this.#rows.push(row);
  }

  #kernelsTo(point: Float64Array): Float64Array {
    const { lengthscale } = this.#process.shape;
    const width = point.length;
    const kernels = new Float64Array(this.size);
    for (let c = 0, at = 0; c < kernels.length; c++) {
      let square = 0;
      for (let d = 0; d < width; d++, at++) {
        const difference = (this.#pool[at] as number) - (point[d] as number);
        square += difference * difference;
      }
      kernels[c] = matern52(square, lengthscale);
    }
    return kernels;
  }
}

type Quadruple<T> = readonly [T, T, T, T];

/** sum += sign · Σ weights[i] · rows[i], four rows at a time: a pass over `sum` costs as much as a row. */
function addRows(
  sum: Float64Array,
  rows: readonly Float64Array[],
  weights: Float64Array,
  sign: 1 | -1,
): void {
  let i = 0;
  for (; i + 4 <= rows.length; i += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map((k) => rows[i + k]) as unknown as Quadruple<Float64Array>;
    const [wa, wb, wc, wd] = [0, 1, 2, 3].map(
      (k) => sign * (weights[i + k] as number),
    ) as unknown as Quadruple<number>;
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
