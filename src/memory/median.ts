/** Medians with intervals that assume nothing of the distribution. */

/** Of at least one value. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2;
}

/**
 * Order statistics that hold the median with at least 95 % (sign test: how many values lie below it
 * is binomial with ½). Null below 6 values, where even the extremes do not reach that.
 */
export function medianInterval(
  values: readonly number[],
): readonly [low: number, high: number] | null {
  const n = values.length;
  const rank = n > MOST_EXACT ? Math.floor(n / 2 - 0.98 * Math.sqrt(n)) - 1 : exactRank(n);
  if (rank < 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return [sorted[rank] as number, sorted[n - 1 - rank] as number];
}

/** Beyond it the binomial's tail underflows, and its normal approximation is as good. */
const MOST_EXACT = 500;

/** The largest number of values that lie below the median with at most 2.5 %; −1 where none does. */
function exactRank(n: number): number {
  let mass = 0.5 ** n;
  let tail = 0;
  let rank = -1;
  while (tail + mass <= 0.025) {
    tail += mass;
    rank++;
    mass *= (n - rank) / (rank + 1);
  }
  return rank;
}
