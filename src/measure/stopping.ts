/**
 * When to stop sampling: once the 95 % interval of the median is narrow enough and enough was seen,
 * or when the budget ends. Knows neither samples nor clocks; `judge` is a function of four numbers.
 */

export interface StoppingOptions {
  /** Half-width of the interval ÷ median at which the median counts as known. */
  readonly relativeHalfWidth: number;
  readonly minSamples: number;
  /** Time sampled at least: slow drift does not show in an instant. */
  readonly minSeconds: number;
  /** Time sampled at most. */
  readonly maxSeconds: number;
}

/** What has been sampled so far; the unit of `p50` and `ci95` does not matter. */
export interface Progress {
  readonly samples: number;
  readonly seconds: number;
  readonly p50: number;
  readonly ci95: readonly [number, number];
}

/** `narrow`: the interval is; `budget`: the time is up first. */
export type Verdict = 'continue' | 'narrow' | 'budget';

export const defaultStopping = {
  relativeHalfWidth: 0.01,
  // Two of so many samples lie beyond p99; fewer make that percentile a guess.
  minSamples: 200,
  minSeconds: 0.5,
  maxSeconds: 5,
} as const satisfies StoppingOptions;

/** Samples below which no 95 % interval of a median exists, see `medianRank`. */
const INTERVAL_SAMPLES = 6;

/** Half the width of the interval ÷ median. */
export function relativeHalfWidth(progress: Pick<Progress, 'p50' | 'ci95'>): number {
  return (progress.ci95[1] - progress.ci95[0]) / (2 * progress.p50);
}

/** Whether to go on, and if not, which rule ended it. */
export function judge(progress: Progress, options: StoppingOptions): Verdict {
  const narrow =
    progress.samples >= INTERVAL_SAMPLES &&
    relativeHalfWidth(progress) <= options.relativeHalfWidth;
  const over = progress.seconds >= options.maxSeconds;
  const enough = progress.samples >= options.minSamples && progress.seconds >= options.minSeconds;
  if (narrow && (enough || over)) return 'narrow';
  return over ? 'budget' : 'continue';
}
