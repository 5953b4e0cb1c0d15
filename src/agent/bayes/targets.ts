/** Metrics turned into targets that a process with normal noise can follow, all to be minimised. */
import type { Constraint } from '../../trial/objective.js';
import type { Costs } from '../../trial/pareto.js';
import { normalQuantile } from './normal.js';

/** Share of a Tchebycheff sum that goes by all objectives (Knowles 2006, ParEGO). */
const LINEAR_SHARE = 0.05;

/** What a trial that was stopped early or failed is taken for: the middle of the worse half. */
const PRUNED_SHARE = 0.75;

/** One minimised number per row; `costs` is absent of a trial that was stopped early or failed. */
export interface CostRow {
  readonly costs: Costs | undefined;
}

/** Place of each value in ascending order, as a share inside (0, 1); equal ones share theirs. */
export function rankShares(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  return values.map((value) => {
    const below = countWhile(sorted, (other) => other < value);
    const upTo = countWhile(sorted, (other) => other <= value);
    return (below + upTo) / 2 / values.length;
  });
}

/** Length of the front part of an ascending list that holds the condition. */
function countWhile(sorted: Float64Array, holds: (value: number) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle] as number)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Several objectives as one: the weighted Tchebycheff norm of their ranks, so that neither scales nor
 * outliers count and every point of a front, also of a hollow one, is the best for some weights.
 */
export function scalarise(costs: readonly Costs[], weights: readonly number[]): number[] {
  const worst = costs.map(() => 0);
  const sums = costs.map(() => 0);
  weights.forEach((weight, d) => {
    if (weight === 0) return;
    rankShares(costs.map((row) => row[d] as number)).forEach((share, i) => {
      worst[i] = Math.max(worst[i] as number, weight * share);
      sums[i] = (sums[i] as number) + weight * share;
    });
  });
  return worst.map((value, i) => value + LINEAR_SHARE * (sums[i] as number));
}

/** Place of each row by the weights, as a share; one without costs is in the worse half. */
export function scalarisedRows(rows: readonly CostRow[], weights: readonly number[]): number[] {
  const known = rows.flatMap(({ costs }) => (costs === undefined ? [] : [costs]));
  const shares = rankShares(scalarise(known, weights));
  let next = 0;
  return rows.map(({ costs }) => (costs === undefined ? PRUNED_SHARE : (shares[next++] as number)));
}

/**
 * Normal scores of the scalarised rows: what is observed most often, mediocre and broken designs, is
 * squeezed together, and the order of good ones is kept.
 */
export function objectiveTargets(rows: readonly CostRow[], weights: readonly number[]): number[] {
  return scalarisedRows(rows, weights).map(normalQuantile);
}

/**
 * How far values lie above a maximum or below a minimum, negative within the limit: linear near the
 * limit, where it matters, logarithmic far from it.
 */
export function marginTargets(values: readonly number[], bound: Bound): number[] {
  const excess = values.map((value) => bound.sign * (value - bound.limit));
  const distances = Float64Array.from(excess, Math.abs).sort();
  const scale = distances[distances.length >> 1] || 1;
  return excess.map((each) => Math.asinh(each / scale));
}

/** One side of a constraint. */
export interface Bound {
  readonly limit: number;
  /** 1 for a maximum, −1 for a minimum. */
  readonly sign: 1 | -1;
}

export function boundsOf({ max, min }: Constraint): Bound[] {
  return [
    ...(max === undefined ? [] : [{ limit: max, sign: 1 } as const]),
    ...(min === undefined ? [] : [{ limit: min, sign: -1 } as const]),
  ];
}
