/** The rules of one run, as plain data: recorded when it begins, the same when it is resumed. */
import { UsageError } from '../errors.js';
import type { Objective } from '../trial/objective.js';
import { type Budget, checkBudget } from './budget.js';
import type { Limit } from './limits.js';

export interface SearchSettings {
  /** At least one. The first is what training improves and retests judge, `accuracy` as a rule. */
  readonly objectives: readonly Objective[];
  readonly limits: readonly Limit[];
  readonly budget: Budget;
  readonly promotion: {
    /** One in η of an arm's trials is trained longer, besides its front. At least 1. */
    readonly eta: number;
  };
  readonly acceptance: {
    /** Standard errors that a winner must be ahead by. */
    readonly k: number;
    /** Retrainings of each contender, each with its own seed. At least 2. */
    readonly rounds: number;
    /** Members of the front that are retested at most. */
    readonly champions: number;
  };
}

/** What a caller need not decide. */
export const DEFAULT_SETTINGS = {
  reserve: 0.3,
  promotion: { eta: 3 },
  acceptance: { k: 2, rounds: 3, champions: 5 },
} as const;

/** @throws UsageError naming the setting that makes no sense. */
export function checkSettings({ objectives, budget, promotion, acceptance }: SearchSettings): void {
  if (objectives.length === 0)
    throw new UsageError('objectives: expected at least one, received none');
  checkBudget(budget);
  atLeast('promotion.eta', promotion.eta, 1);
  atLeast('acceptance.k', acceptance.k, 0);
  atLeast('acceptance.rounds', acceptance.rounds, 2);
  atLeast('acceptance.champions', acceptance.champions, 1);
}

function atLeast(path: string, value: number, least: number): void {
  if (!(value >= least)) {
    throw new UsageError(`${path}: expected a number of at least ${least}, received ${value}`);
  }
}
