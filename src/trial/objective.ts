/** What a search wants and what it must not break, in terms of metric names. */
import type { Metrics, Violation } from './trial.js';

export interface Objective {
  readonly metric: string;
  readonly direction: 'maximize' | 'minimize';
}

/** A hard limit on a metric; at least one bound is given. */
export interface Constraint {
  readonly metric: string;
  readonly max?: number;
  readonly min?: number;
}

/** The limits that the known metrics break; a metric that is not known yet breaks none. */
export function violationsOf(metrics: Metrics, constraints: readonly Constraint[]): Violation[] {
  const violations: Violation[] = [];
  for (const { metric, max, min } of constraints) {
    const actual = metrics[metric];
    if (actual === undefined) continue;
    if (max !== undefined && !(actual <= max)) violations.push({ metric, limit: max, actual });
    if (min !== undefined && !(actual >= min)) violations.push({ metric, limit: min, actual });
  }
  return violations;
}
