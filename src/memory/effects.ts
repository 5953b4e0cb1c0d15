/**
 * What a change of one decision does to a metric, from pairs of a trial and a parent: child less
 * parent, as a median with a distribution-free interval.
 *
 * Pairs of both directions count: 5→3 with its sign turned is evidence for 3→5. That is not only twice
 * the evidence: parents are selected for luck as much as for merit, which makes every change look bad
 * in one direction alone.
 *
 * Caveat: where a child differs in several decisions the pair counts for each of them; `alone` says
 * how many pairs changed nothing else.
 */
import type { Decision } from '../space/space.js';
import type { Json, Trial } from '../trial/trial.js';
import { medianInterval, medianOf } from './median.js';
import type { MemoryContext } from './memory.js';

/** One decision that differs between a parent and its child. */
export interface Change {
  readonly decision: Decision;
  readonly from: number;
  readonly to: number;
}

/** A child, the parent that it differs from in the fewest decisions, and in which. */
export interface Pair {
  readonly parent: Trial;
  readonly child: Trial;
  readonly changes: readonly Change[];
}

export interface Effect {
  readonly decision: string;
  /** Options by their values; for decisions with an order `less` and `more`, over all steps. */
  readonly from: string;
  readonly to: string;
  readonly metric: string;
  /** `relative`: child ÷ parent − 1. `difference`: child − parent, in the metric's unit. */
  readonly unit: 'relative' | 'difference';
  readonly median: number;
  /** 95 % of the median; null where there are too few pairs for one. */
  readonly interval: readonly [low: number, high: number] | null;
  /** Pairs. */
  readonly n: number;
  /** Pairs in which nothing else changed. */
  readonly alone: number;
  /** Ids of the children, the latest of them where there are many. */
  readonly trials: readonly number[];
}

/** Children that differ in more decisions say little of any single one. */
const MOST_CHANGES = 4;
/** Ids that are listed as evidence. */
const MOST_IDS = 12;

/** Pairs of the remembered children and their parents, which may lie outside of the scope. */
export function findPairs(
  children: readonly Trial[],
  all: readonly Trial[],
  { choosing }: MemoryContext,
): readonly Pair[] {
  const byId = new Map(all.map((trial) => [trial.id, trial]));
  const known = new Map<number, readonly number[] | undefined>();
  const choicesOf = ({ id, architecture }: Trial) => {
    if (!known.has(id))
      known.set(
        id,
        tryChoices(architecture, (one) => choosing.choices(one)),
      );
    return known.get(id);
  };
  return children.flatMap((child) => {
    const own = choicesOf(child);
    const pairs = child.parents.flatMap((id): Pair[] => {
      const parent = byId.get(id);
      const other = parent && choicesOf(parent);
      if (parent === undefined || other === undefined || own === undefined) return [];
      return [{ parent, child, changes: changesOf(other, own, choosing.decisions) }];
    });
    const nearest = pairs.sort((a, b) => a.changes.length - b.changes.length)[0];
    return nearest === undefined || nearest.changes.length === 0 ? [] : [nearest];
  });
}

/** `undefined` for what is no point of the space: an illegal proposal, or a foreign graph. */
function tryChoices(
  architecture: Json,
  choices: (architecture: Json) => readonly number[],
): readonly number[] | undefined {
  try {
    return choices(architecture);
  } catch (error) {
    if ((error as Error).name === 'UsageError') return undefined;
    throw error;
  }
}

/** What differs; a decision that one of the two does not have follows from another and is left out. */
export function changesOf(
  from: readonly number[],
  to: readonly number[],
  decisions: readonly Decision[],
): Change[] {
  return decisions.flatMap((decision, i) => {
    const [a, b] = [from[i] as number, to[i] as number];
    return a === b || a < 0 || b < 0 ? [] : [{ decision, from: a, to: b }];
  });
}

/** A change by its name, turned so that both directions meet, and the sign that turned it. */
export function orient({ decision, from, to }: Change): {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly sign: 1 | -1;
} {
  const sign = from < to ? 1 : -1;
  const [low, high] = decision.ordered
    ? ['less', 'more']
    : [Math.min(from, to), Math.max(from, to)].map((option) => labelOf(decision, option));
  return {
    key: `${decision.name} ${low} ${high}`,
    from: low as string,
    to: high as string,
    sign,
  };
}

/** The value of an option, as people call it. */
export function labelOf({ values }: Decision, option: number): string {
  return String(values[option]);
}

interface Sample {
  readonly value: number;
  readonly pair: Pair;
}

/** Effects on every metric that both trials of a pair know; more pairs first. */
export function effectsOf(pairs: readonly Pair[], context: MemoryContext): Effect[] {
  const groups = new Map<string, { head: Omit<Effect, keyof Measured>; samples: Sample[] }>();
  for (const pair of pairs) {
    if (pair.changes.length > MOST_CHANGES) continue;
    for (const change of pair.changes) {
      const { key, from, to, sign } = orient(change);
      for (const [metric, unit, value] of differencesOf(pair, sign, context)) {
        const name = `${key} ${metric}`;
        const head = { decision: change.decision.name, from, to, metric, unit };
        const group = groups.get(name) ?? { head, samples: [] };
        group.samples.push({ value, pair });
        groups.set(name, group);
      }
    }
  }
  return [...groups.values()]
    .map(({ head, samples }) => ({ ...head, ...measure(samples) }))
    .sort((a, b) => b.n - a.n || compare(nameOf(a), nameOf(b)));
}

type Measured = Pick<Effect, 'median' | 'interval' | 'n' | 'alone' | 'trials'>;

function measure(samples: readonly Sample[]): Measured {
  const values = samples.map(({ value }) => value);
  return {
    median: medianOf(values),
    interval: medianInterval(values),
    n: values.length,
    alone: samples.filter(({ pair }) => pair.changes.length === 1).length,
    trials: samples.map(({ pair }) => pair.child.id).slice(-MOST_IDS),
  };
}

const nameOf = ({ decision, from, to, metric }: Effect) => `${decision} ${from} ${to} ${metric}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/**
 * By metric; `sign` −1 swaps parent and child. Sizes and times are compared as ratios. The first
 * objective, which training improves, is compared only between trials that were trained as long.
 */
function* differencesOf(
  { parent, child }: Pair,
  sign: 1 | -1,
  { objectives }: MemoryContext,
): Generator<readonly [string, Effect['unit'], number]> {
  const [before, after] = sign === 1 ? [parent, child] : [child, parent];
  for (const [metric, b] of Object.entries(after.metrics)) {
    const a = before.metrics[metric];
    if (a === undefined) continue;
    if (metric === objectives[0]?.metric) {
      if (isFullyTrained(parent) === isFullyTrained(child)) yield [metric, 'difference', b - a];
    } else if (a > 0 && b > 0) {
      yield [metric, 'relative', b / a - 1];
    }
  }
}

/** Whether the long training is in a trial's metrics. */
function isFullyTrained(trial: Trial): boolean {
  if (trial.state === 'complete') return true;
  return trial.state === 'infeasible' && trial.stage === 'extend';
}
