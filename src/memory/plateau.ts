/** Whether a search still gets anywhere. */
import { hypervolume } from '../trial/hypervolume.js';
import type { Objective } from '../trial/objective.js';
import type { Costs } from '../trial/pareto.js';
import { costsOf } from '../trial/rank.js';
import type { Trial } from '../trial/trial.js';

export interface Plateau {
  readonly isPlateau: boolean;
  /** Trials in a row, up to the last, that brought nothing. */
  readonly trialsSince: number;
  /** Trials without an improvement that make a plateau. */
  readonly patience: number;
  /** The last that improved on what was there; null where none is complete. */
  readonly lastImprovement: number | null;
  /** Of the complete trials, from the worst of them in each objective. */
  readonly hypervolume: number;
}

/** Standard deviations by which a new best must lead for it not to be luck. */
const SIGMAS = 2;

/**
 * A trial improves the search where it enlarges the volume that the front dominates, after its first
 * objective is made worse by twice the noise: a trial that leads by less may owe it to its seed.
 */
export function findPlateau(
  trials: readonly Trial[],
  objectives: readonly Objective[],
  { patience, noise }: { readonly patience: number; readonly noise: number },
): Plateau {
  const complete = trials.filter(({ state }) => state === 'complete');
  const costs = new Map(
    complete
      .map((trial) => [trial, costsOf(trial.metrics, objectives)] as const)
      .filter(([, cost]) => cost.every(Number.isFinite)),
  );
  // Beyond the worst by a little, so that a single trial has a volume too.
  const reference = objectives.map((_, d) => {
    const column = [...costs.values()].map((cost) => cost[d] as number);
    const [least, most] = [Math.min(...column), Math.max(...column)];
    return most + 0.01 * (most - least || Math.abs(most) || 1);
  });
  let points: Costs[] = [];
  let volume = 0;
  let last: Trial | undefined;
  for (const [trial, cost] of costs) {
    const pessimistic = cost.map((value, d) => (d === 0 ? value + SIGMAS * noise : value));
    if (last === undefined || !points.some((point) => isCovered(pessimistic, point))) {
      const isGain = hypervolume([...points, pessimistic], reference) > volume * (1 + 1e-9);
      if (isGain || last === undefined) last = trial;
    }
    if (points.some((point) => isCovered(cost, point))) continue;
    points = [...points.filter((point) => !isCovered(point, cost)), cost];
    volume = hypervolume(points, reference);
  }
  const trialsSince = last === undefined ? trials.length : trials.length - 1 - trials.indexOf(last);
  return {
    isPlateau: trialsSince >= patience,
    trialsSince,
    patience,
    lastImprovement: last?.id ?? null,
    hypervolume: volume,
  };
}

/** Whether `other` is as good in every coordinate. */
function isCovered(cost: Costs, other: Costs): boolean {
  return other.every((value, d) => value <= (cost[d] as number));
}
