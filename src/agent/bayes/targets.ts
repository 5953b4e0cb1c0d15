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
  const order = [...values.keys()].sort((i, j) =>
    compare(values[i] as number, values[j] as number),
  );
  const shares = values.map(() => 0);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    const value = values[order[start] as number];
    while (end < order.length && values[order[end] as number] === value) end++;
    const share = (start + end) / 2 / values.length;
    for (let k = start; k < end; k++) shares[order[k] as number] = share;
    start = end;
  }
  return shares;
}

const compare = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Several objectives as one: the weighted Tchebycheff norm of their ranks, so that neither scales nor
 * outliers count and every point of a front, also of a hollow one, is the best for some weights.
 */
export function scalarise(costs: readonly Costs[], weights: readonly number[]): number[] {
  const shares = weights.map((_, d) => rankShares(costs.map((row) => row[d] as number)));
  return costs.map((_, i) => {
    const terms = weights.map((weight, d) => weight * (shares[d]?.[i] as number));
    const sum = terms.reduce((total, term) => total + term, 0);
    return Math.max(...terms) + LINEAR_SHARE * sum;
  });
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
  const distances = excess.map(Math.abs).sort(compare);
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
