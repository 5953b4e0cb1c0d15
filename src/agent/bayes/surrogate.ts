/**
 * A process with a kernel fitted to some rows, which goes on learning rows. Work is done in steps of
 * known size, so that a new one can be made ready over several tells while an older one answers.
 */
import { centred, KernelFit } from './fit.js';
import { GaussianProcess } from './gaussian-process.js';
import { PoolPosterior, type Prediction } from './posterior.js';
import type { Row, Task } from './rows.js';

export class Surrogate<R extends Row> {
  readonly #rows: R[];
  readonly #pool: readonly Float64Array[];
  readonly #fit: KernelFit;
  #process: GaussianProcess | undefined;
  #posterior: PoolPosterior | undefined;

  /**
   * @param rows that the kernel is fitted to, at least one.
   * @param pool points that are asked about again and again.
   */
  constructor(rows: readonly R[], { fitTargets }: Task<R>, pool: readonly Float64Array[]) {
    this.#rows = [...rows];
    this.#pool = pool;
    this.#fit = new KernelFit(
      rows.map(({ point }) => point),
      fitTargets(rows),
    );
  }

  /** What predictions rest on; targets are expected in this order. */
  get rows(): readonly R[] {
    return this.#rows;
  }

  add(row: R): void {
    this.#rows.push(row);
  }

  /** Whether there is nothing left to do. */
  get isReady(): boolean {
    return this.#process !== undefined && this.#process.size === this.#rows.length;
  }

  /** One step of what there is left to do. Returns about how many multiplications it took. */
  step(): number {
    if (this.#process === undefined) {
      const work = this.#fit.step();
      const { shape } = this.#fit;
      if (shape !== undefined) {
        this.#process = new GaussianProcess(shape);
        this.#posterior = new PoolPosterior(this.#process, this.#pool);
      }
      return work;
    }
    const known = this.#process.size;
    const { point } = this.#rows[known] as R;
    this.#process.append(point);
    this.#posterior?.extend();
    // A kernel takes about as long as twice the features of its points.
    return (this.#pool.length + known) * (known + 2 * point.length);
  }

  /** Of the pool, or of other points. */
  predict(targets: readonly number[], points?: readonly Float64Array[]): Prediction {
    while (!this.isReady) this.step();
    const process = this.#process as GaussianProcess;
    const { values, mean } = centred(targets);
    let posterior = this.#posterior as PoolPosterior;
    if (points !== undefined) {
      posterior = new PoolPosterior(process, points);
      for (let i = 0; i < process.size; i++) posterior.extend();
    }
    return posterior.predict(values, mean);
  }
}
