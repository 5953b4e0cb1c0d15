/**
 * How trials stand as one number, where `trial/rank.ts` orders a whole list. Told one trial at a
 * time, so that strategies pay for a new trial and not for all trials again.
 */
import { costsOf, totalViolation } from '../trial/rank.js';
import type { Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Problem } from './agent.js';

/** Of each objective, how much it counts; the largest is 1. */
export type Weights = readonly number[];

/** Probability that weights are those of the first objective alone. */
const FOCUS_PROBABILITY = 0.25;
/** Share of the plain sum in a scalarised standing: what ties in the worst objective are broken by. */
const SUM_SHARE = 0.05;

/** Weights for one question, so that in the long run all parts of the front are worked on. */
export function drawWeights({ objectives }: Problem, rng: Rng): Weights {
  if (objectives.length === 1) return [1];
  if (rng.uniform() < FOCUS_PROBABILITY) return objectives.map((_, i) => Number(i === 0));
  const shares = objectives.map(() => -Math.log(1 - rng.uniform()));
  const most = Math.max(...shares);
  return shares.map((share) => (most > 0 ? share / most : 1));
}

/** Standings among the trials told so far. */
export class Standings {
  readonly #problem: Problem;
  /** Of each objective, the costs of the complete trials, ascending. */
  readonly #costs: readonly number[][];

  constructor(problem: Problem) {
    this.#problem = problem;
    this.#costs = problem.objectives.map(() => []);
  }

  add(trial: Trial): void {
    if (trial.state !== 'complete') return;
    costsOf(trial.metrics, this.#problem.objectives).forEach((cost, i) => {
      const sorted = this.#costs[i] as number[];
      sorted.splice(countBelow(sorted, cost), 0, cost);
    });
  }

  /**
   * The less, the better: [0, 1] for complete trials (weighted Chebyshev distance from the ideal, in
   * shares of complete trials that are better), [1, 2] for pruned ones, [2, 3] for infeasible ones by
   * their total violation, 4 for failed ones.
   */
  of(trial: Trial, weights: Weights): number {
    if (trial.state === 'failed') return 4;
    if (trial.state === 'infeasible') {
      const violation = totalViolation(trial);
      return Number.isFinite(violation) ? 2 + violation / (1 + violation) : 3;
    }
    const shares = costsOf(trial.metrics, this.#problem.objectives).map((cost, i) => {
      const sorted = this.#costs[i] as number[];
      return sorted.length === 0 ? 0 : countBelow(sorted, cost) / sorted.length;
    });
    let worst = 0;
    let sum = 0;
    shares.forEach((share, i) => {
      const weighted = share * (weights[i] as number);
      worst = Math.max(worst, weighted);
      sum += weighted;
    });
    const distance = (1 - SUM_SHARE) * worst + (SUM_SHARE * sum) / shares.length;
    return trial.state === 'complete' ? distance : 1 + distance;
  }
}

/** Numbers of an ascending list that are less than `value`. */
function countBelow(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
