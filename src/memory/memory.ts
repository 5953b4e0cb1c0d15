/**
 * What a run has learned, told from its trials alone: what was tried, what each change did to each
 * metric on this device, what failed and why, and whether the search still gets anywhere. A function
 * of its arguments, so the same ledger gives the same memory; bounded in size, and it says what it
 * leaves out.
 */
import type { Decision } from '../space/space.js';
import type { Constraint, Objective } from '../trial/objective.js';
import { frontOf } from '../trial/rank.js';
import type { Json, Metrics, Trial, TrialState } from '../trial/trial.js';
import { type Effect, effectsOf, findPairs } from './effects.js';
import { type FailureGroup, groupFailures } from './failures.js';
import { drawLessons, type Lesson } from './lessons.js';
import { findPlateau, type Plateau } from './plateau.js';
import { type Scope, trialsInScope } from './scope.js';

/** How an architecture is made of decisions; a space and an agent's operators have both. */
export interface Choosing {
  readonly decisions: readonly Decision[];
  /** The option taken for each decision; −1 where a decision does not apply. Throws for what is no point. */
  choices(architecture: Json): readonly number[];
}

/** What the run wants and how its architectures are made. */
export interface MemoryContext {
  readonly choosing: Choosing;
  /** The first is what training improves. */
  readonly objectives: readonly Objective[];
  readonly constraints: readonly Constraint[];
}

export interface MemoryOptions {
  /** Default `global`; the others need `trial`. */
  readonly scope?: Scope;
  /** Trial that `sibling` and `ancestor` are seen from. */
  readonly trial?: number;
  /** Most bytes of the memory as JSON in UTF-8. */
  readonly maxBytes?: number;
  /** Trials without an improvement after which the search is called stuck. */
  readonly patience?: number;
  /** Standard deviation of the first objective between retrainings of one architecture; 0 if unknown. */
  readonly noise?: number;
}

export const MEMORY_DEFAULTS = {
  scope: 'global',
  maxBytes: 65_536,
  patience: 20,
  noise: 0,
} as const;

/** An operator, and what became of its proposals. */
export interface OperatorRecord {
  readonly operator: string;
  readonly states: Readonly<Record<TrialState, number>>;
}

/** A trial that holds the best of an objective. */
export interface Incumbent {
  readonly id: number;
  readonly description: string;
  readonly metrics: Metrics;
}

/** The contract `archwright.memory/1`. */
export interface Memory {
  readonly schema: 'archwright.memory/1';
  readonly scope: Scope;
  /** Trial that the scope is seen from. */
  readonly trial: number | null;
  readonly tried: Readonly<Record<TrialState, number>>;
  readonly operators: readonly OperatorRecord[];
  /** The front of what is remembered, best in the first objective first. */
  readonly front: readonly Incumbent[];
  readonly lessons: readonly Lesson[];
  /** Of one change on one metric, those with the most evidence first. */
  readonly effects: readonly Effect[];
  /** The most frequent first. */
  readonly failures: readonly FailureGroup[];
  readonly plateau: Plateau;
  /** Entries that the byte limit left out. */
  readonly dropped: Readonly<Record<'effects' | 'failures' | 'front' | 'lessons', number>>;
}

/** Remembers the trials of a run; those that are no point of the space count, but teach no effect. */
export function remember(
  trials: readonly Trial[],
  context: MemoryContext,
  options: MemoryOptions = {},
): Memory {
  const { scope, maxBytes, patience, noise } = { ...MEMORY_DEFAULTS, ...options };
  const { objectives } = context;
  const remembered = trialsInScope(trials, scope, options.trial);
  const pairs = findPairs(remembered, trials, context);
  const effects = effectsOf(pairs, context);
  const failures = groupFailures(remembered, pairs);
  const plateau = findPlateau(remembered, objectives, { patience, noise });
  const whole: Memory = {
    schema: 'archwright.memory/1',
    scope,
    trial: options.trial ?? null,
    tried: countStates(remembered),
    operators: countOperators(remembered),
    front: frontOf(remembered, objectives).map(({ id, description, metrics }) => ({
      id,
      description,
      metrics,
    })),
    lessons: drawLessons(effects, failures, context),
    effects,
    failures,
    plateau,
    dropped: { effects: 0, failures: 0, front: 0, lessons: 0 },
  };
  return bounded(whole, maxBytes);
}

/** Drops the least of the effects, then of the other lists, until it fits. */
function bounded(memory: Memory, maxBytes: number): Memory {
  let current = memory;
  for (const part of ['effects', 'failures', 'front', 'lessons'] as const) {
    while (current[part].length > 0 && sizeOf(current) > maxBytes) {
      // An eighth at a time: a hundred entries take a dozen measurements of the size.
      const gone = Math.ceil(current[part].length / 8);
      current = {
        ...current,
        [part]: current[part].slice(0, -gone),
        dropped: { ...current.dropped, [part]: current.dropped[part] + gone },
      };
    }
  }
  return current;
}

const sizeOf = (memory: Memory): number => Buffer.byteLength(JSON.stringify(memory));

function countStates(trials: readonly Trial[]): Record<TrialState, number> {
  const counts = { complete: 0, pruned: 0, infeasible: 0, failed: 0 };
  for (const { state } of trials) counts[state]++;
  return counts;
}

function countOperators(trials: readonly Trial[]): OperatorRecord[] {
  const operators = [...new Set(trials.map(({ operator }) => operator))];
  return operators.map((operator) => ({
    operator,
    states: countStates(trials.filter((trial) => trial.operator === operator)),
  }));
}
