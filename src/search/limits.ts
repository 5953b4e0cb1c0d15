/**
 * Hard limits as a person states them, and as trials are judged by them. A limit may refer to what a
 * human design measures on the same device, so that one file is sensible on every machine.
 */
import { ArchwrightError, UsageError } from '../errors.js';
import { type Constraint, violationsOf } from '../trial/objective.js';
import type { Metrics, Violation } from '../trial/trial.js';

/** A number in the metric's unit, or a multiple of what a baseline measures. */
export type Bound = number | { readonly baseline: string; readonly factor: number };

/** A limit on a metric; at least one bound is given. */
export interface Limit {
  readonly metric: string;
  readonly max?: Bound;
  readonly min?: Bound;
}

/**
 * The limits in numbers.
 * @param measured metrics of the baselines by name; a baseline that failed is absent.
 * @throws UsageError for a baseline that does not exist, ArchwrightError for one that failed.
 */
export function resolveLimits(
  limits: readonly Limit[],
  baselineNames: readonly string[],
  measured: ReadonlyMap<string, Metrics>,
): readonly Constraint[] {
  const resolve = (metric: string, bound: Bound): number => {
    if (typeof bound === 'number') return bound;
    const { baseline, factor } = bound;
    if (!baselineNames.includes(baseline)) {
      throw new UsageError(
        `constraints.${metric}: expected one of the baselines ${baselineNames.join(', ')}, ` +
          `received ${baseline}`,
      );
    }
    const value = measured.get(baseline)?.[metric];
    if (value === undefined) {
      throw new ArchwrightError(
        `constraints.${metric}: the limit refers to the baseline ${baseline}, ` +
          'whose evaluation gave no such value; state the limit as a number',
      );
    }
    return value * factor;
  };
  return limits.map(({ metric, max, min }) => ({
    metric,
    ...(max !== undefined && { max: resolve(metric, max) }),
    ...(min !== undefined && { min: resolve(metric, min) }),
  }));
}

/**
 * Violations that no later stage can heal: upper bounds. Lower bounds (of an accuracy, say) may still
 * be met after more training and are judged when the trial ends.
 */
export function earlyViolations(
  metrics: Metrics,
  constraints: readonly Constraint[],
): readonly Violation[] {
  return violationsOf(
    metrics,
    constraints.flatMap(({ metric, max }) => (max === undefined ? [] : [{ metric, max }])),
  );
}
