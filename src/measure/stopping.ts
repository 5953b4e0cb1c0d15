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
  // Half a percent of this lies beyond p99: fewer samples than this make that percentile a guess.
  minSamples: 200,
  minSeconds: 0.5,
  maxSeconds: 5,
} as const satisfies StoppingOptions;

/** Half the width of the interval ÷ median. */
export function relativeHalfWidth(progress: Pick<Progress, 'p50' | 'ci95'>): number {
  return (progress.ci95[1] - progress.ci95[0]) / (2 * progress.p50);
}

/** Whether to go on, and if not, which rule ended it. */
export function judge(progress: Progress, options: StoppingOptions): Verdict {
  const enough = progress.samples >= options.minSamples && progress.seconds >= options.minSeconds;
  if (enough && relativeHalfWidth(progress) <= options.relativeHalfWidth) return 'narrow';
  return progress.seconds >= options.maxSeconds ? 'budget' : 'continue';
}
