/** What the evidence is strong enough to say: one sentence each, with what it rests on. */
import type { Effect } from './effects.js';
import type { FailureGroup } from './failures.js';
import type { MemoryContext } from './memory.js';

export interface Lesson {
  readonly text: string;
  /** `better` and `worse` are about an objective or a limited metric, `avoid` about failures. */
  readonly kind: 'better' | 'worse' | 'avoid';
  /** Ids of trials. */
  readonly evidence: readonly number[];
}

/** Failures of one kind that make a lesson. */
const LEAST_FAILURES = 3;
const MOST_LESSONS = 24;

/**
 * Effects on what the run cares about whose interval leaves out zero, those that are the surest
 * (distance from zero in widths of the interval) first; then failures that recur.
 */
export function drawLessons(
  effects: readonly Effect[],
  failures: readonly FailureGroup[],
  context: MemoryContext,
): Lesson[] {
  const sure = effects
    .filter((effect) => isSure(effect) && directionOf(effect.metric, context) !== 0)
    .sort((a, b) => surenessOf(b) - surenessOf(a))
    .map((effect): Lesson => {
      const isBetter = Math.sign(effect.median) === directionOf(effect.metric, context);
      return {
        text: formatEffect(effect),
        kind: isBetter ? 'better' : 'worse',
        evidence: effect.trials,
      };
    });
  const avoid = failures
    .filter(({ count }) => count >= LEAST_FAILURES)
    .map((group): Lesson => {
      return { text: formatFailure(group), kind: 'avoid', evidence: group.trials };
    });
  return [...sure.slice(0, MOST_LESSONS - avoid.length), ...avoid].slice(0, MOST_LESSONS);
}

/** +1 where more of a metric is wanted, −1 where less is, 0 where it does not matter. */
export function directionOf(metric: string, context: MemoryContext): 1 | 0 | -1 {
  const objective = context.objectives.find((one) => one.metric === metric);
  if (objective !== undefined) return objective.direction === 'maximize' ? 1 : -1;
  const limit = context.constraints.find((one) => one.metric === metric);
  if (limit === undefined) return 0;
  return limit.max !== undefined ? -1 : 1;
}

function isSure({ interval }: Effect): boolean {
  return interval !== null && (interval[0] > 0 || interval[1] < 0);
}

function surenessOf({ median, interval }: Effect): number {
  const [low, high] = interval as readonly [number, number];
  return Math.abs(median) / Math.max(high - low, Number.MIN_VALUE);
}

/** `stage2.kernel 3→5: latencyMs +12 % [8, 15], n = 9 (4 alone)`. */
export function formatEffect(effect: Effect): string {
  const { decision, from, to, metric, unit, median, interval, n, alone } = effect;
  const number = (value: number) => {
    const shown = unit === 'relative' ? value * 100 : value;
    return `${shown > 0 ? '+' : ''}${Number(shown.toPrecision(3))}`;
  };
  const range = interval === null ? '' : ` [${interval.map(number).join(', ')}]`;
  const percent = unit === 'relative' ? ' %' : '';
  return `${decision} ${from}→${to}: ${metric} ${number(median)}${percent}${range}, n = ${n} (${alone} alone)`;
}

/** `measure: 7 infeasible, latencyMs at 1.4 times the limit; common: stage1.width 8→16 (3)`. */
export function formatFailure({
  stage,
  kind,
  reason,
  count,
  overrun,
  changes,
}: FailureGroup): string {
  const why = overrun === null ? reason : `${reason} at ${overrun.toFixed(2)} times the limit`;
  const common = changes.map((one) => `${one.decision} ${one.from}→${one.to} (${one.count})`);
  const tail = common.length === 0 ? '' : `; common: ${common.join(', ')}`;
  return `${stage}: ${count} ${kind}, ${why}${tail}`;
}
