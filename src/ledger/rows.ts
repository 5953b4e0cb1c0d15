/** Rows of the ledger to facts and back: the only place that knows how columns hold values. */
import { InternalError } from '../errors.js';
import type { Json, Metrics, Trial, TrialState, Violation } from '../trial/trial.js';
import type { ProposalRecord, StageKey } from './ledger.js';

/** A row as the driver gives it, by column. */
export type Row = Readonly<Record<string, unknown>>;

export function proposalOf(row: Row): Omit<ProposalRecord, 'ask'> {
  return {
    id: number(row, 'id'),
    agent: text(row, 'agent'),
    operator: text(row, 'operator'),
    parents: json(row, 'parents') as readonly number[],
    architecture: json(row, 'architecture'),
    hash: text(row, 'hash'),
    description: text(row, 'description'),
  };
}

export function keyOf(row: Row): StageKey {
  return { trial: number(row, 'trial'), stage: text(row, 'stage'), round: number(row, 'round') };
}

export function trialOf(row: Row): Trial {
  const base = {
    ...proposalOf(row),
    costSeconds: number(row, 'cost_seconds'),
    metrics: json(row, 'metrics') as Metrics,
  };
  const state = text(row, 'state') as TrialState;
  if (state === 'complete') return Object.freeze({ ...base, state });
  const stage = text(row, 'stage');
  if (state === 'infeasible') {
    const violations = json(row, 'violations') as unknown as readonly Violation[];
    return Object.freeze({ ...base, state, stage, violations });
  }
  return Object.freeze({ ...base, state, stage, reason: text(row, 'reason') });
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new InternalError(`column ${column}: expected text, received ${String(value)}`);
}

export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === 'number') return value;
  throw new InternalError(`column ${column}: expected a number, received ${String(value)}`);
}

export function json(row: Row, column: string): Json {
  return JSON.parse(text(row, column), (_key, value) => Object.freeze(value)) as Json;
}

/** JSON text; a number that JSON cannot hold (NaN, infinity) is a broken invariant of the caller. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (key, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) {
      throw new InternalError(`${key || 'value'}: expected a finite number, received ${part}`);
    }
    return part;
  });
}
