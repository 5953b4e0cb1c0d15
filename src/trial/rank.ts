/**
 * Trials from best to worst under several objectives and hard constraints. Feasibility comes first
 * (Deb 2000): complete trials, then pruned ones (they hold every limit measured so far), then
 * infeasible ones by how much they miss, then failed.
 */
import type { Objective } from './objective.js';
import { type Costs, crowdingDistance, nonDominatedSort, paretoFront } from './pareto.js';
import type { CompleteTrial, InfeasibleTrial, Metrics, Trial, TrialState } from './trial.js';

const stateOrder: Readonly<Record<TrialState, number>> = {
  complete: 0,
  pruned: 1,
  infeasible: 2,
  failed: 3,
};

/** The metrics as coordinates to be minimised; one that is missing or not a number is the worst. */
export function costsOf(metrics: Metrics, objectives: readonly Objective[]): Costs {
  return objectives.map(({ metric, direction }) => {
    const value = metrics[metric];
    if (value === undefined || Number.isNaN(value)) return Infinity;
    return direction === 'maximize' ? -value : value;
  });
}

/** Sum over the broken limits of the excess, each relative to its limit (to 1 where that is 0). */
export function totalViolation(trial: InfeasibleTrial): number {
  return trial.violations.reduce((sum, { limit, actual }) => {
    const excess = Math.abs(actual - limit) / (Math.abs(limit) || 1);
    return sum + (Number.isNaN(excess) ? Infinity : excess);
  }, 0);
}

/** The complete trials that no other dominates, best in the first objective first. */
export function frontOf(
  trials: readonly Trial[],
  objectives: readonly Objective[],
): CompleteTrial[] {
  const complete = trials.filter((trial) => trial.state === 'complete');
  const costs = complete.map((trial) => costsOf(trial.metrics, objectives));
  return paretoFront(costs)
    .map((i) => ({ trial: complete[i] as CompleteTrial, costs: costs[i] as Costs }))
    .sort((a, b) => compareCosts(a.costs, b.costs) || a.trial.id - b.trial.id)
    .map(({ trial }) => trial);
}

/**
 * Best first. Complete trials stand by front, within it by crowding distance (the lonelier the
 * better), then by the first objective; the older of equals comes first.
 */
export function rankTrials(trials: readonly Trial[], objectives: readonly Objective[]): Trial[] {
  const costs = new Map(trials.map((trial) => [trial, costsOf(trial.metrics, objectives)]));
  const standing = new Map<Trial, Costs>();
  const complete = trials.filter((trial) => trial.state === 'complete').sort((a, b) => a.id - b.id);
  const points = complete.map((trial) => costs.get(trial) as Costs);
  nonDominatedSort(points).forEach((front, depth) => {
    const distance = crowdingDistance(front.map((i) => points[i] as Costs));
    front.forEach((i, j) => {
      standing.set(complete[i] as Trial, [depth, -(distance[j] as number)]);
    });
  });
  const keyOf = (trial: Trial): Costs => {
    const own = trial.state === 'infeasible' ? [totalViolation(trial), 0] : [0, 0];
    const first = costs.get(trial)?.[0] ?? 0;
    return [stateOrder[trial.state], ...(standing.get(trial) ?? own), first, trial.id];
  };
  return trials
    .map((trial) => ({ trial, key: keyOf(trial) }))
    .sort((a, b) => compareCosts(a.key, b.key))
    .map(({ trial }) => trial);
}

/** Order by the first coordinate that differs. */
function compareCosts(a: Costs, b: Costs): number {
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}
