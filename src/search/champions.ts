/** Who comes to the retest, and how much of it fits into the time that is left. */
import type { Objective } from '../trial/objective.js';
import { costsOf, frontOf } from '../trial/rank.js';
import type { CompleteTrial, Trial } from '../trial/trial.js';

/** At most `count` trials of the front, the best in the first objective first, then spread. */
export function pickChampions(
  trials: readonly Trial[],
  objectives: readonly Objective[],
  count: number,
): readonly CompleteTrial[] {
  return spread(frontOf(trials, objectives), objectives, count);
}

/**
 * Farthest-point choice: starting with the first trial, always the one whose nearest chosen
 * neighbour is the farthest away, each objective scaled to its range on the front.
 */
function spread(
  front: readonly CompleteTrial[],
  objectives: readonly Objective[],
  count: number,
): readonly CompleteTrial[] {
  const costs = front.map((trial) => costsOf(trial.metrics, objectives));
  const ranges = objectives.map((_, d) => {
    const column = costs.map((cost) => cost[d] as number);
    return Math.max(...column) - Math.min(...column) || 1;
  });
  const distance = (i: number, j: number): number =>
    Math.hypot(
      ...ranges.map((range, d) => ((costs[i]?.[d] as number) - (costs[j]?.[d] as number)) / range),
    );
  const chosen: number[] = [];
  const rest = [...front.keys()];
  while (chosen.length < count && rest.length > 0) {
    const gaps = rest.map((i) => Math.min(...chosen.map((j) => distance(i, j))));
    const at = chosen.length === 0 ? 0 : gaps.indexOf(Math.max(...gaps));
    chosen.push(...rest.splice(at, 1));
  }
  return chosen.map((i) => front[i] as CompleteTrial);
}

/** A trial that may be retested, with what one round of it is expected to take. */
export interface Contender {
  readonly id: number;
  readonly roundSeconds: number;
}

export interface RetestPlan {
  /** A prefix of the contenders; fewer than two, and so none, where time is too short. */
  readonly contenders: readonly number[];
  readonly rounds: number;
}

/** Rounds below which no noise can be estimated. */
export const MIN_ROUNDS = 2;

/**
 * As many contenders, in their order, as go through all rounds in the time left; if not even two do,
 * fewer rounds; if not even that, nobody.
 */
export function planRetest(
  contenders: readonly Contender[],
  rounds: number,
  secondsLeft: number,
): RetestPlan {
  for (let n = rounds; n >= MIN_ROUNDS; n--) {
    for (let m = contenders.length; m >= 2; m--) {
      const taken = contenders.slice(0, m);
      const seconds = n * taken.reduce((sum, { roundSeconds }) => sum + roundSeconds, 0);
      if (seconds <= secondsLeft) return { contenders: taken.map(({ id }) => id), rounds: n };
    }
  }
  return { contenders: [], rounds: 0 };
}
