/**
 * A family of search strategies that speak ask/tell over frozen trials (optuna's and Ax's pattern).
 * An agent reaches no storage, device or queue. The loop passes a generator forked for each ask, so
 * an agent that is rebuilt from the same trials makes the same next proposal in another process.
 */
import { ArchwrightError } from '../errors.js';
import type { Effect } from '../memory/effects.js';
import type { Decision } from '../space/space.js';
import type { Constraint, Objective } from '../trial/objective.js';
import type { Json, Proposal, Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';

/** The part of a space that agents need: operators over JSON architectures. */
export interface Operators {
  sample(rng: Rng): Json;
  mutate(architecture: Json, rng: Rng, changes?: number): Json;
  cross(a: Json, b: Json, rng: Rng): Json;
  /** Architectures one edit away: all of them, or a sample where there are very many. */
  neighbours(architecture: Json, rng: Rng): readonly Json[];
  /** Every architecture; absent where they are too many to list. */
  list?(): readonly Json[];
  readonly decisions: readonly Decision[];
  /** The option taken for each decision; −1 where a decision does not apply. */
  choices(architecture: Json): readonly number[];
  /** The architecture of one option per decision, made legal where options exclude one another. */
  fromChoices(choices: readonly number[]): Json;
  /** Numbers that describe an architecture to a statistical model, always as many. */
  features(architecture: Json): Float64Array;
}

/** The rules of the game, the same for every agent of a run. */
export interface Problem {
  readonly operators: Operators;
  /** The first objective ranks where a single number is needed. */
  readonly objectives: readonly Objective[];
  readonly constraints: readonly Constraint[];
  /** What changes did in an earlier run, for agents that can use it; absent where nothing was carried over. */
  readonly remembered?: readonly Effect[];
}

/** Any agent that a run can have. */
export type AnyAgent = Agent | WaitingAgent;

export interface Agent {
  readonly name: string;
  /** The next proposal. A function of the trials told so far and of `rng`. */
  propose(rng: Rng): Proposal;
  /**
   * Learns of a trial, in the order of their ids: of all its own, and of others' where the run shares
   * them.
   * @param isOwn whether the agent proposed it; true where absent.
   */
  observe(trial: Trial, isOwn?: boolean): void;
}

/**
 * An agent that waits for something outside before it proposes, and whose answers therefore do not
 * follow from its seed. It writes them into its notebook before it hands them out, so that after a
 * restart it gives the same answer to the same ask without waiting again.
 */
export interface WaitingAgent {
  readonly name: string;
  /**
   * The proposal for an ask.
   * @param ask number of the ask, counted from 1 over the run; asks after a restart may repeat some.
   * @throws Exhausted when it will never have another one.
   */
  propose(rng: Rng, ask: number): Promise<Proposal>;
  observe(trial: Trial): void;
  /**
   * Device time that it used itself for what it was told of so far; counted as that of its trials.
   * A function of its notebook and of those trials. Default: none.
   */
  ownSeconds?(): number;
}

/** An agent has nothing more to propose in this run; `message` says why, in one line. */
export class Exhausted extends ArchwrightError {
  override name = 'Exhausted';
}

/** What a waiting agent may know of the run around it, besides what it is told. */
export interface RunView {
  /** Trials that have ended so far, of all agents and the human designs, in the order of their ends. */
  trials(): readonly Trial[];
  /** Finished stages of a trial as they were recorded, oldest first. */
  stages(trial: number): readonly { readonly stage: string; readonly outcome: Json }[];
  notebook(agent: string): Notebook;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal | undefined;
}

/** An agent's own lasting record; what was appended is read back after a restart. */
export interface Notebook {
  /** Oldest first. */
  read(): readonly Json[];
  /** Returns when the entry is safe. */
  append(entry: Json): void;
}
