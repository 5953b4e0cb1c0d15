/**
 * Pure statistics of latency samples.
 *
 * Quantiles are type 7 of Hyndman and Fan (1996): linear between the order statistics around
 * (n − 1)·q, what NumPy and R do by default.
 *
 * The interval of the median is distribution-free. It inverts an interval for F(median), as Woodruff
 * (1952) does: the ends are order statistics of the pooled samples, so it needs no density and
 * always contains the sample median. Successive runs are not independent (frequency, caches and
 * neighbours change slowly), and treating them as if they were gives intervals many times too
 * narrow. So the variance of F̂ comes from batch means: the share of samples at or below the pooled
 * median is taken per block of consecutive windows, and the blocks are what counts as independent.
 * Where the blocks vary less than independent samples would, the exact binomial interval stands.
 *
 * Limits: dependence longer than a block (a sixteenth of the measurement) is not seen, and looking
 * repeatedly until the interval is narrow makes the true coverage somewhat less than 95 %.
 */

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
 * Rank k (from 1) such that order statistics k and n + 1 − k enclose the median of n independent
 * samples with at least 95 % confidence: the largest k with P(Binomial(n, ½) < k) ≤ 2.5 %.
 * 0 where n is too small (below 6) for any pair.
 */
export function medianRank(n: number): number {
  let logTerm = -n * Math.LN2;
  let tail = Math.exp(logTerm);
  let k = 0;
  while (tail <= 0.025 && k < n) {
    k++;
    logTerm += Math.log((n - k + 1) / k);
    tail += Math.exp(logTerm);
  }
  return k;
}

/**
 * 95 % confidence interval of the median of `windows`, each the samples of one stretch of time, in
 * the order of time. Fewer than 6 samples have no such interval: their range is returned.
 */
export function medianInterval(windows: readonly ArrayLike<number>[]): [number, number] {
  return intervalOf(windows, sortSamples(windows));
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
    ci95: intervalOf(windows, sorted),
    outliers: countOutliers(sorted),
  };
}

function intervalOf(windows: readonly ArrayLike<number>[], sorted: Float64Array): [number, number] {
  const n = sorted.length;
  const margin = blockMargin(windows, n, quantile(sorted, 0.5));
  const fromBlocks = Math.floor(n * (0.5 - margin));
  const rank = Math.max(1, Math.min(medianRank(n), fromBlocks));
  return [sorted[rank - 1] ?? Number.NaN, sorted[n - rank] ?? Number.NaN];
}

/** Half-width of the 95 % interval of F(median), from the spread between blocks; 0 of one block. */
function blockMargin(windows: readonly ArrayLike<number>[], n: number, centre: number): number {
  const count = Math.min(MAX_BLOCKS, windows.length);
  if (count < 2) return 0;
  const below = new Float64Array(count);
  const sizes = new Float64Array(count);
  windows.forEach((window, i) => {
    const block = Math.floor((i * count) / windows.length);
    sizes[block] = (sizes[block] as number) + window.length;
    for (let j = 0; j < window.length; j++) {
      const value = window[j] as number;
      // Ties with the median count half, so that a coarse clock shows no false agreement.
      const share = value < centre ? 1 : value === centre ? 0.5 : 0;
      below[block] = (below[block] as number) + share;
    }
  });
  // Σ (share of block − ½)², each weighted by the square of the block's size.
  let variance = 0;
  for (let block = 0; block < count; block++) {
    variance += (((below[block] as number) - 0.5 * (sizes[block] as number)) / n) ** 2;
  }
  const t = STUDENT_T[count - 2] as number;
  return Math.min(0.5, t * Math.sqrt((variance * count) / (count - 1)));
}
