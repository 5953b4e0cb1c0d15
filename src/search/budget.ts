/**
 * What a run may spend. Time is wall time of the run's processes, dead time between them not
 * counted. A share of it is kept for the end: retests, the hidden split, export.
 */
import { UsageError } from '../errors.js';

export interface Budget {
  readonly seconds?: number;
  /** Trials of all arms together; baselines are not counted. */
  readonly trials?: number;
  /** Share of `seconds` kept for the final phase, 0 … 0.9. */
  readonly reserve: number;
}

/** What has been spent of a budget. */
export interface Spending {
  readonly seconds: number;
  readonly trials: number;
}

/** @throws UsageError for a budget that bounds nothing or makes no sense. */
export function checkBudget(budget: Budget): void {
  const { seconds, trials, reserve } = budget;
  if (seconds === undefined && trials === undefined) {
    throw new UsageError('budget: expected seconds or trials, received neither');
  }
  if (seconds !== undefined && !(seconds > 0 && Number.isFinite(seconds))) {
    throw new UsageError(`budget.seconds: expected a positive number, received ${seconds}`);
  }
  if (trials !== undefined && !(Number.isInteger(trials) && trials > 0)) {
    throw new UsageError(`budget.trials: expected a positive integer, received ${trials}`);
  }
  if (!(reserve >= 0 && reserve <= 0.9)) {
    throw new UsageError(`budget.reserve: expected a share of 0 … 0.9, received ${reserve}`);
  }
}

/** Why no further trial is begun, or `undefined` while one may be. */
export function searchEnd(budget: Budget, spent: Spending): 'seconds' | 'trials' | undefined {
  if (budget.trials !== undefined && spent.trials >= budget.trials) return 'trials';
  if (budget.seconds === undefined) return undefined;
  return spent.seconds >= budget.seconds * (1 - budget.reserve) ? 'seconds' : undefined;
}

/** Seconds until the budget ends, never below 0; infinite where time is not bounded. */
export function secondsLeft(budget: Budget, spentSeconds: number): number {
  return Math.max(0, (budget.seconds ?? Number.POSITIVE_INFINITY) - spentSeconds);
}
