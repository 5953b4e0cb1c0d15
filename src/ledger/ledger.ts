/**
 * The record of a run: what was proposed, which stage began and how it ended, what was decided.
 * Facts are only ever added, one by one, each committed before the call returns; so whatever kills
 * the process, the record says how far the run came and a replay of it leads to the same state.
 *
 * The ledger knows trials but not their stages' meaning: outcomes and payloads are opaque JSON.
 */
import type { Json, Proposal, Trial } from '../trial/trial.js';

/** What a run is, fixed when it is created. */
export interface RunRecord {
  readonly name: string;
  /** The resolved configuration. */
  readonly config: Json;
  readonly seed: number;
  /** Version of Archwright that created it. */
  readonly version: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** A proposal that became a trial. */
export interface ProposalRecord extends Proposal {
  readonly id: number;
  readonly agent: string;
  readonly hash: string;
  readonly description: string;
  /** Number of the ask that made it, counted from 1 for each agent. */
  readonly ask: number;
}

/** Names one run of a stage; finished at most once. */
export interface StageKey {
  readonly trial: number;
  readonly stage: string;
  readonly round: number;
}

/** A stage that ran to its end. */
export interface StageRecord extends StageKey {
  readonly outcome: Json;
  /** Duration of the stage. */
  readonly seconds: number;
  /** Wall seconds of the run so far, over all its processes, dead time not counted. */
  readonly elapsedSeconds: number;
}

/** A decision or a milestone. A kind occurs at most once for each key. */
export interface EventRecord {
  readonly kind: string;
  readonly key: string;
  readonly payload: Json;
  readonly elapsedSeconds: number;
}

export interface Ledger {
  readonly run: RunRecord;

  /** In the order of recording. */
  proposals(): readonly ProposalRecord[];
  /** Finished stages, in the order of recording. */
  stages(): readonly StageRecord[];
  /** How often each stage was started: more than once where a process died in it. */
  starts(): readonly (StageKey & { readonly count: number })[];
  /** Ended trials, in the order of their ends. */
  trials(): readonly Trial[];
  /** In the order of recording. */
  events(): readonly EventRecord[];

  /** Throws `InternalError` when the fact contradicts or repeats a recorded one, as do the others. */
  recordProposal(proposal: ProposalRecord): void;
  recordStageStart(key: StageKey): void;
  recordStageFinish(record: StageRecord): void;
  /** The proposal of the trial was recorded before; what ended it is added. */
  recordTrialEnd(trial: Trial): void;
  recordEvent(event: EventRecord): void;

  close(): void;
}
