/**
 * Which champions win by more than the noise of training.
 *
 * All contenders are retrained from scratch with the same list of seeds (rounds). A seed moves all
 * scores of its round a little (same data order, same draws); that part cancels in the differences
 * d[r] of a pair. Two or three rounds show the variance of a pair poorly, and contenders are not
 * equally noisy (a weak net's score jumps more), so each pair's variance is moderated towards the
 * median over all pairs (empirical Bayes as in Smyth 2004, with 4 prior degrees of freedom):
 *
 *   v = (4 · prior + (n − 1) · var d) / (4 + n − 1),   σ = √(v / n)
 *
 * for n rounds, the prior being that median, corrected for its bias. With two contenders it is the standard error of the paired t-test. A challenger wins
 * when its mean is ahead by more than k·σ; within ±k·σ it is a tie and the incumbent stays.
 *
 * Limits: with two contenders and three rounds, k = 2 is weaker than 95 %: chance alone gives a win
 * to 9 % of equal pairs (one-sided). The sampling error of the search split, which all contenders
 * share, is not in σ; the hidden split answers for that.
 */
import type { Objective } from '../trial/objective.js';
import { paretoFront } from '../trial/pareto.js';
import { costsOf } from '../trial/rank.js';
import type { Metrics } from '../trial/trial.js';

/** A contender with its scores in the first objective, one per round, paired with the others'. */
export interface Retested {
  readonly id: number;
  readonly scores: readonly number[];
  /** As the search knows it: the exact objectives are taken from here. */
  readonly metrics: Metrics;
}

export interface Decision {
  readonly challenger: number;
  readonly incumbent: number;
  /** Mean advantage of the challenger, positive when it is better. */
  readonly difference: number;
  /** Standard error of the difference; `null` when one round or contender cannot show it. */
  readonly sigma: number | null;
  readonly verdict: 'wins' | 'tie' | 'loses';
}

/** Standard error of the difference of two contenders' means; `null` where nothing shows it. */
export type Noise = (a: Retested, b: Retested) => number | null;

const PRIOR_DEGREES = 4;

/** σ as above, from all contenders; always `null` with fewer than two contenders or rounds. */
export function noiseOf(retested: readonly Retested[]): Noise {
  const rounds = retested[0]?.scores.length ?? 0;
  if (retested.length < 2 || rounds < 2) return () => null;
  const variances = retested.flatMap((a, i) =>
    retested.slice(i + 1).map((b) => pairedVariance(a, b)),
  );
  const degrees = rounds - 1;
  // The median of χ²(d)/d is below 1 (Wilson and Hilferty's approximation). One pair has no prior
  // but itself.
  const bias = variances.length === 1 ? 1 : (1 - 2 / (9 * degrees)) ** 3;
  const prior = median(variances) / bias;
  return (a, b) => {
    const moderated =
      (PRIOR_DEGREES * prior + degrees * pairedVariance(a, b)) / (PRIOR_DEGREES + degrees);
    return Math.sqrt(moderated / rounds);
  };
}

/** Variance of the differences, round by round. */
function pairedVariance(a: Retested, b: Retested): number {
  const differences = a.scores.map((score, r) => score - (b.scores[r] as number));
  const centre = mean(differences);
  const sum = differences.reduce((total, d) => total + (d - centre) ** 2, 0);
  return sum / (differences.length - 1);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** Judges one pair. Without a known σ every pair is a tie. */
export function compareRetested(
  challenger: Retested,
  incumbent: Retested,
  { direction }: Objective,
  noise: Noise,
  k: number,
): Decision {
  const sigma = noise(challenger, incumbent);
  const raw = mean(challenger.scores) - mean(incumbent.scores);
  const difference = direction === 'maximize' ? raw : -raw;
  const margin = sigma === null ? Number.POSITIVE_INFINITY : k * sigma;
  const verdict = difference > margin ? 'wins' : difference < -margin ? 'loses' : 'tie';
  return {
    challenger: challenger.id,
    incumbent: incumbent.id,
    difference,
    sigma,
    verdict,
  };
}

/**
 * The champions that stay. They come forward in the order of the exact objectives (all but the
 * first), better ones first, so along a front of accuracy and latency from the fastest to the
 * slowest; each must win against every accepted one that is no worse in the exact objectives. Where
 * there is only one objective, the best by the search's own score comes first and is challenged.
 *
 * @returns ids that stay, and for each challenger the decision against its strongest rival.
 */
export function acceptChampions(
  champions: readonly Retested[],
  objectives: readonly Objective[],
  noise: Noise,
  k: number,
): { readonly accepted: readonly number[]; readonly decisions: readonly Decision[] } {
  const [noisy, ...exact] = objectives as [Objective, ...Objective[]];
  const known = champions.map((champion) => ({
    champion,
    exact: costsOf(champion.metrics, exact),
    search: costsOf(champion.metrics, [noisy])[0] as number,
  }));
  known.sort(
    (a, b) =>
      compareCosts(a.exact, b.exact) || a.search - b.search || a.champion.id - b.champion.id,
  );
  const decisions: Decision[] = [];
  const accepted: typeof known = [];
  for (const challenger of known) {
    const faced = accepted
      .filter((rival) => rival.exact.every((cost, d) => cost <= (challenger.exact[d] as number)))
      .map((rival) => compareRetested(challenger.champion, rival.champion, noisy, noise, k));
    const strongest = faced.reduce<Decision | undefined>(
      (worst, one) => (worst === undefined || one.difference < worst.difference ? one : worst),
      undefined,
    );
    if (strongest !== undefined) decisions.push(strongest);
    if (strongest === undefined || strongest.verdict === 'wins') accepted.push(challenger);
  }
  // A winner may dominate those it beat: then they leave.
  const sign = noisy.direction === 'maximize' ? -1 : 1;
  const points = accepted.map((one) => [sign * mean(one.champion.scores), ...one.exact]);
  const front = paretoFront(points).map((i) => (accepted[i] as (typeof known)[number]).champion.id);
  return { accepted: front, decisions };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function compareCosts(a: readonly number[], b: readonly number[]): number {
  const d = a.findIndex((cost, i) => cost !== b[i]);
  return d < 0 ? 0 : (a[d] as number) - (b[d] as number);
}
