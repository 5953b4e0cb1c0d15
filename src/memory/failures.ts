/** Trials that did not work out, grouped by where they stopped and why. */
import type { Trial } from '../trial/trial.js';
import { labelOf, type Pair } from './effects.js';
import { medianOf } from './median.js';

/** A change and how many trials of a group made it. */
export interface FailedChange {
  readonly decision: string;
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

export interface FailureGroup {
  readonly stage: string;
  readonly kind: 'infeasible' | 'failed';
  /** The limited metric that was broken, or the reason with its numbers left out. */
  readonly reason: string;
  readonly count: number;
  /** Median of measured ÷ limit, where a limit was broken. */
  readonly overrun: number | null;
  /** Ids, the latest of them where there are many. */
  readonly trials: readonly number[];
  /** What those that were made from a parent changed in it, where more than one changed the same. */
  readonly changes: readonly FailedChange[];
}

const MOST_IDS = 12;
const MOST_CHANGES = 3;
/** A reason may quote a foreign graph's names, at any length. */
const MOST_CHARACTERS = 160;

/** The groups, the largest first; a trial that breaks several limits is in a group for each. */
export function groupFailures(trials: readonly Trial[], pairs: readonly Pair[]): FailureGroup[] {
  const changes = new Map(pairs.map((pair) => [pair.child.id, pair]));
  const groups = new Map<string, { head: Head; ids: number[]; overruns: number[] }>();
  for (const trial of trials) {
    for (const { overrun, ...head } of headsOf(trial)) {
      const key = JSON.stringify(head);
      const group = groups.get(key) ?? { head, ids: [], overruns: [] };
      group.ids.push(trial.id);
      if (overrun !== undefined) group.overruns.push(overrun);
      groups.set(key, group);
    }
  }
  return [...groups.values()]
    .sort((a, b) => b.ids.length - a.ids.length)
    .map(({ head, ids, overruns }) => ({
      ...head,
      count: ids.length,
      overrun: overruns.length === 0 ? null : medianOf(overruns),
      trials: ids.slice(-MOST_IDS),
      changes: commonChanges(ids.flatMap((id) => changes.get(id) ?? [])),
    }));
}

type Head = Pick<FailureGroup, 'stage' | 'kind' | 'reason'>;

function headsOf(trial: Trial): (Head & { readonly overrun?: number })[] {
  const { state: kind } = trial;
  if (kind === 'complete' || kind === 'pruned') return [];
  const { stage } = trial;
  if (kind === 'failed') return [{ stage, kind, reason: withoutNumbers(trial.reason) }];
  return trial.violations.map(({ metric, limit, actual }) => {
    const ratio = actual / limit;
    return { stage, kind, reason: metric, ...(Number.isFinite(ratio) && { overrun: ratio }) };
  });
}

/** One line, so that reasons that differ in a step or a size are one reason. */
function withoutNumbers(reason: string): string {
  const line = reason
    .replaceAll(/[\p{C}\s]+/gu, ' ')
    .replaceAll(/-?\d+(\.\d+)?(e[+-]?\d+)?/gi, '#');
  return line.length <= MOST_CHARACTERS ? line : `${line.slice(0, MOST_CHARACTERS - 1)}…`;
}

function commonChanges(pairs: readonly Pair[]): FailedChange[] {
  const counts = new Map<string, FailedChange>();
  for (const { decision, from, to } of pairs.flatMap((pair) => pair.changes)) {
    const key = `${decision.name} ${from} ${to}`;
    const change = {
      decision: decision.name,
      from: labelOf(decision, from),
      to: labelOf(decision, to),
    };
    counts.set(key, { ...change, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts.values()]
    .filter(({ count }) => count > 1)
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_CHANGES);
}
