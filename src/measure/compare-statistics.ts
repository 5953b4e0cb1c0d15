/**
 * The statistics of a comparison, free of any device.
 *
 * What is compared is a log-ratio per *round*. Two sessions of one and the same model differ by a
 * constant (where their memory lies), so within a pair of sessions any number of samples agrees on
 * a ratio that is off by a per cent or so. A round loads both models anew; rounds are the units that
 * vary independently, and the interval comes from their variation alone.
 *
 * Centre and interval are those of Wilcoxon's signed ranks: the median of all pairwise means of
 * rounds, and the means at symmetric ranks (J. L. Hodges and E. L. Lehmann, "Estimates of location
 * based on rank tests", Annals of Mathematical Statistics 34, 1963). They need no normality, only
 * symmetry, and which model a round loads and times first is drawn at random: with equal models a
 * round's log-ratio is as likely to be x as −x. A few wild rounds do not move them.
 *
 * Looking often until a verdict stands would find one by chance sooner or later. So there are few
 * looks, at a number of rounds that grows by a factor, each with an interval of 99 %; together they
 * all hold the true ratio in at least 95 of 100 comparisons (repeated confidence intervals after
 * C. Jennison and B. W. Turnbull, "Interim analyses: the repeated confidence interval approach",
 * JRSS B 51, 1989). Hence the interval at the look that ended the comparison is a 95 % interval.
 */

/** Of a against b: `UNCLEAR` where the interval allows for more than one of the others. */
export type CompareVerdict = 'FASTER' | 'SLOWER' | 'SAME' | 'UNCLEAR';

/** A ratio and its 95 % interval. */
export interface RatioEstimate {
  readonly ratio: number;
  readonly ci95: readonly [number, number];
}

/** Models whose ratio is within 1 ± this count as equally fast … */
export const EQUIVALENCE = 0.015;
/** … and faster or slower means by more than this, whatever the interval. */
export const LEAST_DIFFERENCE = 0.005;

/** Numbers of rounds at which the interval is looked at. The first has an interval of 99 %. */
export const LOOKS = [8, 10, 13, 17, 22, 29, 38, 49, 64, 83, 108] as const;
/** Rounds that a comparison makes at least, whatever its budget; the first with one of 95 %. */
export const LEAST_ROUNDS = 6;

/** What may be missed at one look of several … */
const LOOK_ALPHA = 0.01;
/** … and in all of them, so at a look that is the only one. */
const ALPHA = 0.05;

/**
 * The verdict of an interval of ratios (a ÷ b). An interval within the equivalence says SAME, even
 * where it leaves out 1: a difference that is real but small.
 */
export function decideVerdict(
  [low, high]: readonly [number, number],
  equivalence: number = EQUIVALENCE,
): CompareVerdict {
  if (low >= 1 - equivalence && high <= 1 + equivalence) return 'SAME';
  if (high < 1 - LEAST_DIFFERENCE) return 'FASTER';
  if (low > 1 + LEAST_DIFFERENCE) return 'SLOWER';
  return 'UNCLEAR';
}

/**
 * Ratio and interval of rounds' log-ratios. `isOnly`: no look was taken before. Below 6 rounds, or
 * below 8 where a look was taken before, there is no such interval: it is all of 0 … ∞.
 */
export function estimateRatio(logRatios: readonly number[], isOnly: boolean): RatioEstimate {
  const { centre, interval } = estimateCentre(logRatios, isOnly ? ALPHA : LOOK_ALPHA);
  const [low, high] = interval;
  return { ratio: Math.exp(centre), ci95: [Math.exp(low), Math.exp(high)] };
}

/**
 * Hodges' and Lehmann's centre of `values`, and its interval at level 1 − `alpha` or the next above
 * that exists; unbounded where none does.
 */
export function estimateCentre(
  values: readonly number[],
  alpha: number,
): { readonly centre: number; readonly interval: readonly [number, number] } {
  const n = values.length;
  const means = new Float64Array((n * (n + 1)) / 2);
  let count = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i; j < n; j++) {
      means[count++] = ((values[i] as number) + (values[j] as number)) / 2;
    }
  }
  means.sort();
  const rank = signedRank(n, alpha);
  return {
    centre: ((means[(count - 1) >> 1] ?? Number.NaN) + (means[count >> 1] ?? Number.NaN)) / 2,
    interval:
      rank === 0
        ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
        : [means[rank - 1] as number, means[count - rank] as number],
  };
}

const ranks = new Map<string, number>();

/**
 * The largest k with P(W < k) ≤ α/2, W being the sum of those of the ranks 1 … n that get a + when
 * signs are drawn at random; 0 where n is too small for any.
 */
export function signedRank(n: number, alpha: number): number {
  const key = `${n} ${alpha}`;
  const known = ranks.get(key);
  if (known !== undefined) return known;
  const sums = (n * (n + 1)) / 2;
  const probability = new Float64Array(sums + 1);
  probability[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let sum = sums; sum >= 0; sum--) {
      const without = probability[sum] as number;
      const within = sum >= rank ? (probability[sum - rank] as number) : 0;
      probability[sum] = (without + within) / 2;
    }
  }
  let k = 0;
  let tail = 0;
  while (k < sums && tail + (probability[k] as number) <= alpha / 2) {
    tail += probability[k] as number;
    k++;
  }
  ranks.set(key, k);
  return k;
}
