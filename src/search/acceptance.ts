/**
 * Which champions win by more than the noise of training.
 *
 * All contenders are retrained from scratch with the same list of seeds (rounds), so their scores
 * form a two-way table x[i][r] of contender i and round r. A seed moves all scores of its round a
 * little (same data order, same draws); that part cancels in differences. What is left is estimated
 * from the whole table, which is far steadier than a spread over two or three pairs:
 *
 *   s² = Σ (x[i][r] − mean of i − mean of r + mean of all)² / ((m − 1)(n − 1))
 *   σ  = √(2 s² / n)
 *
 * for m contenders and n rounds: the standard error of the difference of two contenders' means (a
 * randomised block design). For m = 2 it is that of the paired t-test. A challenger wins when its
 * mean is ahead by more than k·σ; within ±k·σ it is a tie and the incumbent stays.
 *
 * Limits: contenders are assumed to be equally noisy. With few degrees of freedom, (m − 1)(n − 1),
 * k = 2 is weaker than 95 %: chance alone gives a win to 9 % of equal pairs at 2, to 6 % at 4, to
 * 4 % at 8 (one-sided). The sampling error of the search split, which all contenders share, is not
 * in σ; the hidden split answers for that.
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

/** σ as above, or `null` with fewer than two contenders or rounds. */
export function standardError(retested: readonly Retested[]): number | null {
  const m = retested.length;
  const n = retested[0]?.scores.length ?? 0;
  if (m < 2 || n < 2) return null;
  const rowMeans = retested.map(({ scores }) => mean(scores));
  const columnMeans = Array.from({ length: n }, (_, r) =>
    mean(retested.map(({ scores }) => scores[r] as number)),
  );
  const grand = mean(rowMeans);
  let sum = 0;
  retested.forEach(({ scores }, i) => {
    scores.forEach((score, r) => {
      sum += (score - (rowMeans[i] as number) - (columnMeans[r] as number) + grand) ** 2;
    });
  });
  return Math.sqrt((2 * sum) / ((m - 1) * (n - 1) * n));
}

/** Judges one pair. Without a known σ every pair is a tie. */
export function compareRetested(
  challenger: Retested,
  incumbent: Retested,
  { direction }: Objective,
  sigma: number | null,
  k: number,
): Decision {
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
  sigma: number | null,
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
      .map((rival) => compareRetested(challenger.champion, rival.champion, noisy, sigma, k));
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
