/** When processes are fitted anew, and with which kernel. */
import {
  GaussianProcess,
  type KernelShape,
  matern52,
  squaredDistance,
} from './gaussian-process.js';

/**
 * Share of the trials known at the last fit that bring the next one: as rarely as leaves time to make
 * its surrogates ready in between (`models.ts`). On NAS-Bench-201 a share of 0.1 finds no better cells.
 */
const GROWTH = 0.15;
/** Trials between fits: at least, since two teach little; at most, so that surrogates stay small. */
const MIN_BETWEEN_FITS = 2;
const MAX_BETWEEN_FITS = 48;

/** Rows that the likelihood of a kernel is judged by at most: 20 kernels take 2 ms with 64. */
const MAX_LIKELIHOOD_ROWS = 64;

/** In units of the root of the number of features, which is what far points of unit ranges are apart. */
const LENGTHSCALES = [0.25, 0.5, 0.8, 1.2, 3];
const NOISES = [0.01, 0.03, 0.1, 0.3];

/** The number of trials at the next fit after the one at `fit` trials: a share more, within limits. */
export function nextFit(fit: number): number {
  const step = Math.floor(GROWTH * fit);
  return fit + Math.min(MAX_BETWEEN_FITS, Math.max(MIN_BETWEEN_FITS, step));
}

/**
 * The search for the kernel that makes all the targets likeliest, a lengthscale at a time, so that it
 * can be spread over several asks.
 */
export class KernelFit {
  readonly #points: readonly Float64Array[];
  readonly #targets: readonly (readonly number[])[];
  readonly #squares: readonly Float64Array[];
  readonly #unit: number;
  #next = 0;
  #best: { readonly shape: KernelShape; readonly score: number } | undefined;

  /** Each of `targets` has one value per point. */
  constructor(points: readonly Float64Array[], targets: readonly (readonly number[])[]) {
    const stride = Math.ceil(points.length / MAX_LIKELIHOOD_ROWS);
    const isJudged = (_: unknown, i: number) => i % stride === 0;
    this.#points = points.filter(isJudged);
    this.#targets = targets.map((each) => centred(each.filter(isJudged)).values);
    this.#unit = Math.sqrt(points[0]?.length ?? 1);
    this.#squares = this.#points.map((a, i) =>
      Float64Array.from({ length: i }, (_, j) =>
        squaredDistance(a, this.#points[j] as Float64Array),
      ),
    );
  }

  /** The likeliest kernel, once all were tried. */
  get shape(): KernelShape | undefined {
    return this.#next < LENGTHSCALES.length ? undefined : this.#best?.shape;
  }

  /** Tries the next lengthscale with every noise. Returns about how many multiplications it took. */
  step(): number {
    const lengthscale = (LENGTHSCALES[this.#next++] as number) * this.#unit;
    const kernels = this.#squares.map((row) => row.map((square) => matern52(square, lengthscale)));
    for (const noise of NOISES) {
      const shape = { lengthscale, noise };
      const process = new GaussianProcess(shape);
      this.#points.forEach((point, i) => {
        process.append(point, kernels[i]);
      });
      const score = this.#targets.reduce((sum, each) => sum + process.logLikelihood(each), 0);
      if (this.#best === undefined || score > this.#best.score) this.#best = { shape, score };
    }
    // Twice the multiplications of the factors, for their kernels and because their rows are short.
    return (NOISES.length * this.#points.length ** 3) / 3;
  }
}

/** Values less their mean. */
export function centred(values: readonly number[]): { values: number[]; mean: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { values: values.map((value) => value - mean), mean };
}
