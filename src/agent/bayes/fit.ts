/** When a process is fitted anew, to which of its rows, and with which kernel. */
import {
  GaussianProcess,
  type KernelShape,
  matern52,
  squaredDistance,
} from './gaussian-process.js';

/** Rows up to which a process is fitted to all, and how many are chosen where there are more. */
export const MAX_FIT_ROWS = 224;
export const CHOSEN_ROWS = 120;
/** Rows that it may learn until the next fit. */
const MAX_ROWS_BETWEEN_FITS = 32;

/** Rows that the likelihood of a kernel is judged by at most. */
const MAX_LIKELIHOOD_ROWS = 80;

const GROWTH = 0.1;

/** In units of the root of the number of features, which is what far points of unit ranges are apart. */
const LENGTHSCALES = [0.25, 0.5, 0.8, 1.2, 3];
const NOISES = [0.01, 0.03, 0.1, 0.3];

/** The number of rows at the last fit that `rows` rows had: each comes a share of rows after the last. */
export function rowsAtFit(rows: number): number {
  let fit = 0;
  for (;;) {
    const step = Math.min(MAX_ROWS_BETWEEN_FITS, Math.max(2, Math.floor(GROWTH * fit)));
    // In steps of equal length from there on.
    if (step === MAX_ROWS_BETWEEN_FITS) return fit + step * Math.floor((rows - fit) / step);
    if (fit + step > rows) return Math.max(fit, Math.min(rows, 1));
    fit += step;
  }
}

/**
 * Rows to be fitted to, in their order: all, or where they are too many a third each of those that
 * matter most, the newest, and evenly spaced others.
 * @param importance of each row, the smaller the more it matters.
 */
export function chooseRows<R>(
  rows: readonly R[],
  importance: (rows: readonly R[]) => readonly number[],
): readonly R[] {
  const count = rows.length;
  if (count <= MAX_FIT_ROWS) return rows;
  const third = Math.floor(CHOSEN_ROWS / 3);
  const values = importance(rows);
  const threshold = Float64Array.from(values).sort()[third - 1] as number;
  const chosen = new Set([...values.keys()].filter((i) => (values[i] as number) < threshold));
  // Of equals the newest.
  for (let i = count - 1; chosen.size < third; i--) if (values[i] === threshold) chosen.add(i);
  for (let i = count - 1; chosen.size < 2 * third; i--) chosen.add(i);
  const others = [...rows.keys()].filter((i) => !chosen.has(i));
  const wanted = CHOSEN_ROWS - chosen.size;
  for (let k = 0; k < wanted; k++) {
    chosen.add(others[Math.floor((k * others.length) / wanted)] as number);
  }
  return rows.filter((_, i) => chosen.has(i));
}

/** The kernel that makes all the targets likeliest. Each of `targets` has one value per point. */
export function fitKernel(
  points: readonly Float64Array[],
  targets: readonly (readonly number[])[],
): KernelShape {
  const stride = Math.ceil(points.length / MAX_LIKELIHOOD_ROWS);
  const isJudged = (_: unknown, i: number) => i % stride === 0;
  const judged = points.filter(isJudged);
  const judgedTargets = targets.map((each) => centred(each.filter(isJudged)).values);
  const unit = Math.sqrt(points[0]?.length ?? 1);
  let best: { readonly shape: KernelShape; readonly score: number } | undefined;
  const squares = judged.map((a, i) =>
    Float64Array.from({ length: i }, (_, j) => squaredDistance(a, judged[j] as Float64Array)),
  );
  for (const length of LENGTHSCALES) {
    const lengthscale = length * unit;
    const kernels = squares.map((row) => row.map((square) => matern52(square, lengthscale)));
    for (const noise of NOISES) {
      const shape = { lengthscale, noise };
      const process = new GaussianProcess(shape);
      judged.forEach((point, i) => {
        process.append(point, kernels[i]);
      });
      const score = judgedTargets.reduce((sum, each) => sum + process.logLikelihood(each), 0);
      if (best === undefined || score > best.score) best = { shape, score };
    }
  }
  return (best as NonNullable<typeof best>).shape;
}

/** Values less their mean. */
export function centred(values: readonly number[]): { values: number[]; mean: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return { values: values.map((value) => value - mean), mean };
}
