/**
 * Pure statistics of latency samples.
 *
 * Quantiles are type 7 of Hyndman and Fan (1996): linear between the order statistics around
 * (n − 1)·q, what NumPy and R do by default.
 *
 * The interval of a quantile is distribution-free. It inverts an interval for F(quantile), as
 * Woodruff (1952) does: the ends are order statistics of the pooled samples, so it needs no density
 * and always contains the sample quantile. Successive runs are not independent (frequency, caches and
 * neighbours change slowly), and treating them as if they were gives intervals many times too
 * narrow. So the variance of F̂ comes from batch means: the share of samples at or below the pooled
 * quantile is taken per block of consecutive windows, and the blocks are what counts as independent.
 * Where the blocks vary less than independent samples would, the exact binomial interval stands.
 *
 * Limits: dependence longer than a block (a sixteenth of the measurement) is not seen, and looking
 * repeatedly until the interval is narrow makes the true coverage somewhat less than 95 %.
 */

/**
 * 95 % confidence interval. An end is null where no sample bounds it: 200 samples say nothing about
 * how large the 99th percentile may be.
 */
export type Interval = readonly [low: number | null, high: number | null];

/** What is reported of a set of samples, in the unit of the samples. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly mean: number;
  /** Sample standard deviation (n − 1); 0 for a single sample. */
  readonly stddev: number;
  /** 95 % confidence interval of the median. */
  readonly ci95: readonly [number, number];
  /** Those of the percentiles. */
  readonly percentileCi95: {
    readonly p90: Interval;
    readonly p95: Interval;
    readonly p99: Interval;
  };
  /** Samples far from the median, see `countOutliers`. */
  readonly outliers: number;
}

/** Blocks that the interval of the median is computed from, at most. */
const MAX_BLOCKS = 16;

/** 97.5 % quantile of Student's t by degrees of freedom, 1 … MAX_BLOCKS − 1. */
const STUDENT_T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131,
];

/** Modified Z-score beyond which a sample counts as an outlier: Iglewicz and Hoaglin (1993). */
const OUTLIER_SCORE = 3.5;

/** The samples of all windows, ascending. */
export function sortSamples(windows: readonly ArrayLike<number>[]): Float64Array {
  const sorted = new Float64Array(windows.reduce((sum, window) => sum + window.length, 0));
  let offset = 0;
  for (const window of windows) {
    sorted.set(window, offset);
    offset += window.length;
  }
  return sorted.sort();
}

/** Quantile `q` in 0 … 1 of ascending values; NaN of none. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (position - below);
}

/** Median of values in any order; NaN of none. */
export function median(values: ArrayLike<number>): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] as number;
  return sum / values.length;
}

/** Sample standard deviation (n − 1); 0 for a single value. */
export function stddev(values: ArrayLike<number>): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] as number) - centre) ** 2;
  return Math.sqrt(sum / (values.length - 1));
}

/**
 * Values whose distance from the median exceeds 3.5 robust standard deviations (1.4826 times the
 * median absolute deviation). None when more than half of the values are equal.
 */
export function countOutliers(sorted: ArrayLike<number>): number {
  const centre = quantile(sorted, 0.5);
  const distances = Float64Array.from(sorted, (value) => Math.abs(value - centre));
  const limit = OUTLIER_SCORE * 1.4826 * median(distances);
  if (!(limit > 0)) return 0;
  return distances.reduce((count, distance) => count + (distance > limit ? 1 : 0), 0);
}

/**
 * Ranks (from 1) of the order statistics of n independent samples that enclose quantile `q` with at
 * least 95 % confidence, 2.5 % to either side: the largest l with P(Binomial(n, q) < l) ≤ 2.5 %, and
 * the smallest u with P(Binomial(n, q) ≥ u) ≤ 2.5 %. l is 0 and u is n + 1 where n is too small.
 */
export function quantileRanks(n: number, q: number): readonly [number, number] {
  return [tailRank(n, q), n + 1 - tailRank(n, 1 - q)];
}

/** The largest l with P(Binomial(n, q) < l) ≤ 2.5 %. */
function tailRank(n: number, q: number): number {
  const odds = Math.log(q / (1 - q));
  let logTerm = n * Math.log1p(-q);
  let tail = Math.exp(logTerm);
  let l = 0;
  while (tail <= 0.025 && l < n) {
    l++;
    logTerm += Math.log((n - l + 1) / l) + odds;
    tail += Math.exp(logTerm);
  }
  return l;
}

/**
 * 95 % confidence interval of the median of `windows`, each the samples of one stretch of time, in
 * the order of time. Fewer than 6 samples have no such interval: their range is returned.
 */
export function medianInterval(windows: readonly ArrayLike<number>[]): [number, number] {
  return medianIntervalOf(windows, sortSamples(windows));
}

/** 95 % confidence interval of quantile `q` of `windows`, as `medianInterval` but with open ends. */
export function quantileInterval(windows: readonly ArrayLike<number>[], q: number): Interval {
  return intervalOf(windows, sortSamples(windows), q);
}

/** All statistics of `windows` (see `medianInterval`). */
export function summarize(windows: readonly ArrayLike<number>[]): Summary {
  const sorted = sortSamples(windows);
  return {
    count: sorted.length,
    min: quantile(sorted, 0),
    p50: quantile(sorted, 0.5),
    p90: quantile(sorted, 0.9),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    mean: mean(sorted),
    stddev: stddev(sorted),
    ci95: medianIntervalOf(windows, sorted),
    percentileCi95: {
      p90: intervalOf(windows, sorted, 0.9),
      p95: intervalOf(windows, sorted, 0.95),
      p99: intervalOf(windows, sorted, 0.99),
    },
    outliers: countOutliers(sorted),
  };
}

function medianIntervalOf(
  windows: readonly ArrayLike<number>[],
  sorted: Float64Array,
): [number, number] {
  const [low, high] = intervalOf(windows, sorted, 0.5);
  return [low ?? quantile(sorted, 0), high ?? quantile(sorted, 1)];
}

function intervalOf(
  windows: readonly ArrayLike<number>[],
  sorted: Float64Array,
  q: number,
): Interval {
  const n = sorted.length;
  const margin = blockMargin(windows, sorted, q);
  const [low, high] = quantileRanks(n, q);
  return [
    sorted[Math.min(low, Math.floor(n * (q - margin))) - 1] ?? null,
    sorted[Math.max(high, n + 1 - Math.floor(n * (1 - q - margin))) - 1] ?? null,
  ];
}

/** Half-width of the 95 % interval of F(quantile), from the spread between blocks; 0 of one block. */
function blockMargin(
  windows: readonly ArrayLike<number>[],
  sorted: Float64Array,
  q: number,
): number {
  const count = Math.min(MAX_BLOCKS, windows.length);
  if (count < 2) return 0;
  const n = sorted.length;
  const centre = quantile(sorted, q);
  const { below, ties } = countAt(sorted, centre);
  // Ties with the quantile count as far as q needs them, so that a coarse clock shows no false
  // agreement.
  const tieShare = ties === 0 ? 0 : Math.min(1, Math.max(0, (q * n - below) / ties));
  const under = new Float64Array(count);
  const sizes = new Float64Array(count);
  windows.forEach((window, i) => {
    const block = Math.floor((i * count) / windows.length);
    sizes[block] = (sizes[block] as number) + window.length;
    for (let j = 0; j < window.length; j++) {
      const value = window[j] as number;
      const share = value < centre ? 1 : value === centre ? tieShare : 0;
      under[block] = (under[block] as number) + share;
    }
  });
  // Σ (share of block − q)², each weighted by the square of the block's size.
  let variance = 0;
  for (let block = 0; block < count; block++) {
    variance += (((under[block] as number) - q * (sizes[block] as number)) / n) ** 2;
  }
  const t = STUDENT_T[count - 2] as number;
  return t * Math.sqrt((variance * count) / (count - 1));
}

/** How many of ascending values are below `value`, and how many equal it. */
function countAt(sorted: Float64Array, value: number): { below: number; ties: number } {
  let below = 0;
  while (below < sorted.length && (sorted[below] as number) < value) below++;
  let ties = 0;
  while (sorted[below + ties] === value) ties++;
  return { below, ties };
}
