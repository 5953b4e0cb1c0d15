/**
 * A process over a growing list of rows. What it says is a function of the rows alone: fits happen at
 * fixed numbers of rows, however often it is asked in between.
 */
import { centred, chooseRows, fitKernel, MAX_FIT_ROWS, rowsAtFit } from './fit.js';
import { GaussianProcess } from './gaussian-process.js';
import { PoolPosterior, type Prediction } from './posterior.js';

export interface Row {
  /** Scaled features. */
  readonly point: Float64Array;
}

export interface SurrogateOptions<R extends Row> {
  /** Targets of rows that the kernel has to suit: one or several sets. */
  readonly fitTargets: (rows: readonly R[]) => readonly (readonly number[])[];
  /** Of each row, the smaller the more it matters; asked where there are too many rows. */
  readonly importance: (rows: readonly R[]) => readonly number[];
  /** Points that are asked about again and again, where there are such. */
  readonly pool: readonly Float64Array[] | undefined;
  /** Rows by which its fits come later, so that those of several surrogates fall on different rows. */
  readonly delay: number;
}

/** Rows from which fits are delayed: then they cost enough, and come seldom enough. */
const DELAYED_FROM = 100;

export class Surrogate<R extends Row> {
  readonly #options: SurrogateOptions<R>;
  readonly #rows: R[] = [];
  #process: GaussianProcess | undefined;
  #posterior: PoolPosterior | undefined;
  #fittedAt = 0;
  /** Rows that the process knows, and how many rows it has looked at. */
  #known: R[] = [];
  #learned = 0;

  constructor(options: SurrogateOptions<R>) {
    this.#options = options;
  }

  get size(): number {
    return this.#rows.length;
  }

  add(row: R): void {
    this.#rows.push(row);
  }

  /** Whether the pool can be predicted: as long as every row is fitted to. */
  get hasPool(): boolean {
    return this.#options.pool !== undefined && this.size <= MAX_FIT_ROWS;
  }

  /** Rows that the next predictions rest on, at least one; targets are expected in their order. */
  update(): readonly R[] {
    const { delay } = this.#options;
    const isLate = this.size > DELAYED_FROM + delay;
    const fit = isLate ? rowsAtFit(this.size - delay) + delay : rowsAtFit(this.size);
    if (fit !== this.#fittedAt) this.#refit(fit);
    while (this.#learned < this.size) this.#learn(this.#rows[this.#learned++] as R);
    return this.#known;
  }

  /** Of the pool, or of other points. */
  predict(targets: readonly number[], points?: readonly Float64Array[]): Prediction {
    const process = this.#process as GaussianProcess;
    const { values, mean } = centred(targets);
    const { pool } = this.#options;
    if (points === undefined) this.#posterior ??= new PoolPosterior(process, pool ?? []);
    const posterior = points === undefined ? this.#posterior : new PoolPosterior(process, points);
    const prediction = (posterior as PoolPosterior).predict(values);
    return { ...prediction, mean: prediction.mean.map((value) => value + mean) };
  }

  #refit(fit: number): void {
    const { fitTargets, importance } = this.#options;
    this.#fittedAt = fit;
    const rows = chooseRows(this.#rows.slice(0, fit), importance);
    const shape = fitKernel(
      rows.map(({ point }) => point),
      fitTargets(rows),
    );
    const before = this.#process?.shape;
    const isSame = before?.lengthscale === shape.lengthscale && before.noise === shape.noise;
    if (isSame && fit <= MAX_FIT_ROWS) return;
    this.#process = new GaussianProcess(shape);
    this.#posterior = undefined;
    this.#known = [];
    for (const row of rows) this.#learn(row);
    this.#learned = fit;
  }

  #learn(row: R): void {
    (this.#process as GaussianProcess).append(row.point);
    this.#known.push(row);
  }
}
