/**
 * When to stop sampling: once the 95 % interval of the median is narrow enough and enough was seen;
 * when the noise has settled, so that more of the same would not narrow it; or when the budget ends.
 * Knows neither samples nor clocks: `judge` is a function of what was seen at each look.
 *
 * Settled noise: while samples are like independent ones, the interval narrows with the square root
 * of time, a slope of −½ in logarithms. Drift, and states that last as long as the measurement, keep
 * it from narrowing. So a line is fitted through the latest looks, which span a factor of time, and
 * its slope says which of the two it is. The widths of successive looks share most of their samples,
 * so the line is fitted over looks that are spread evenly in the logarithm of time. The idea of
 * giving up on noise that no longer improves is nvbench's.
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

/** What has been sampled up to a look; the unit of `p50` and `ci95` does not matter. */
export interface Progress {
  readonly samples: number;
  readonly seconds: number;
  readonly p50: number;
  readonly ci95: readonly [number, number];
}

/**
 * `narrow`: the interval is; `settled`: it is not and would not become so; `budget`: the time is up
 * first.
 */
export type Verdict = 'continue' | 'narrow' | 'settled' | 'budget';

export const defaultStopping = {
  relativeHalfWidth: 0.01,
  // Two of so many samples lie beyond p99; fewer make that percentile a guess.
  minSamples: 200,
  minSeconds: 1.5,
  maxSeconds: 5,
} as const satisfies StoppingOptions;

/** Statistics are looked at again after the time sampled has grown by this factor. */
export const LOOK_FACTOR = 1.1;

/** Samples below which no 95 % interval of a median exists, see `quantileRanks`. */
const INTERVAL_SAMPLES = 6;

/** Factor of time that the looks must span before noise can be called settled … */
const SETTLED_SPAN = 6;
/** … and how many there must be. */
const SETTLED_LOOKS = 8;
/** Slope above which the interval does not narrow at all; independent samples give −0.5. */
const SETTLED_SLOPE = 0;

/** Half the width of the interval ÷ median. */
export function relativeHalfWidth(progress: Pick<Progress, 'p50' | 'ci95'>): number {
  return (progress.ci95[1] - progress.ci95[0]) / (2 * progress.p50);
}

/** Whether to go on after the last of `looks` (in the order of time), and if not, what ended it. */
export function judge(looks: readonly Progress[], options: StoppingOptions): Verdict {
  const last = looks.at(-1);
  if (last === undefined) return 'continue';
  const narrow =
    last.samples >= INTERVAL_SAMPLES && relativeHalfWidth(last) <= options.relativeHalfWidth;
  const over = last.seconds >= options.maxSeconds;
  const enough = last.samples >= options.minSamples && last.seconds >= options.minSeconds;
  if (narrow && (enough || over)) return 'narrow';
  if (over) return 'budget';
  return enough && isSettled(looks, options.minSeconds) ? 'settled' : 'continue';
}

/** Whether the interval has stopped narrowing; looks before `minSeconds` are too rough to count. */
function isSettled(looks: readonly Progress[], minSeconds: number): boolean {
  const seen = looks.filter((look) => look.seconds >= minSeconds && relativeHalfWidth(look) > 0);
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined) return false;
  const begin = last.seconds / SETTLED_SPAN;
  if (first.seconds > begin) return false;
  const recent = seen.filter(({ seconds }) => seconds >= begin);
  return recent.length >= SETTLED_LOOKS && narrowingSlope(recent) > SETTLED_SLOPE;
}

/** Least-squares slope of the logarithm of the half-width over the logarithm of time. */
function narrowingSlope(looks: readonly Progress[]): number {
  const xs = looks.map(({ seconds }) => Math.log(seconds));
  const ys = looks.map((look) => Math.log(relativeHalfWidth(look)));
  const middle = xs.reduce((sum, x) => sum + x, 0) / xs.length;
  const covariance = xs.reduce((sum, x, i) => sum + (x - middle) * (ys[i] as number), 0);
  return covariance / xs.reduce((sum, x) => sum + (x - middle) ** 2, 0);
}
