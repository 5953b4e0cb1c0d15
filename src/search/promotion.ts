/**
 * Who is trained longer. A trial is decided on once, when its short score and its measurements are
 * known: it goes on when it stands on the front of what its arm has measured so far, or in the best
 * 1/η by the first objective. The second rule is that of successive halving without rungs to wait
 * for (ASHA, Li et al., arXiv 1810.05934), short of its later promotions; the first keeps the cheap
 * ends of the front alive.
 *
 * Scores are compared like with like: short ones only. Each arm is judged among its own trials, so
 * that arms stay independent and a random one shows what random search alone would have found.
 */
import type { Objective } from '../trial/objective.js';
import { dominates } from '../trial/pareto.js';
import { costsOf } from '../trial/rank.js';
import type { Metrics } from '../trial/trial.js';

export interface Promotion {
  readonly promoted: boolean;
  readonly onFront: boolean;
  /** Place by the first objective, from 1, among `of` trials including this one. */
  readonly rank: number;
  readonly of: number;
}

/**
 * @param earlier metrics before longer training of the arm's earlier trials that reached this point.
 * @param eta at least 1; 1 promotes everything.
 */
export function decidePromotion(
  candidate: Metrics,
  earlier: readonly Metrics[],
  objectives: readonly Objective[],
  eta: number,
): Promotion {
  const own = costsOf(candidate, objectives);
  const others = earlier.map((metrics) => costsOf(metrics, objectives));
  const onFront = others.every((other) => !dominates(other, own));
  const rank = 1 + others.filter((other) => (other[0] as number) <= (own[0] as number)).length;
  const of = others.length + 1;
  return { promoted: onFront || rank <= Math.ceil(of / eta), onFront, rank, of };
}

/** One line for people: why a trial was not promoted. */
export function pruneReason({ rank, of }: Promotion, metric: string, eta: number): string {
  const best = Math.ceil(of / eta);
  return `off its arm's front and number ${rank} of ${of} by short ${metric}; the best ${best} go on`;
}
