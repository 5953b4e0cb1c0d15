import type { Agent, Operators, Problem } from '../../src/agent/agent.js';
import type { Evaluator } from '../../src/evaluate/evaluate.js';
import type { SearchSettings } from '../../src/search/settings.js';

export const operators: Operators;
export const settings: SearchSettings;
export function createAgents(problem: Problem): readonly Agent[];

export interface Analytic extends Evaluator {
  /** `trial stage round` of every call, in order. */
  readonly calls: readonly string[];
  clock(): number;
}

export function createAnalytic(options?: {
  /** File that every call is appended to as it begins. */
  readonly sideLog?: string;
  readonly sleepMs?: number;
  /** Standard deviation of a score over seeds. */
  readonly noise?: number;
}): Analytic;
