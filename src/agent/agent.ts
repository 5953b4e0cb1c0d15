/**
 * A family of search strategies that speak ask/tell over frozen trials (optuna's and Ax's pattern).
 * An agent reaches no storage, device or queue. The loop passes a generator forked for each ask, so
 * an agent that is rebuilt from the same trials makes the same next proposal in another process.
 */
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
}

export interface Agent {
  readonly name: string;
  /** The next proposal. A function of the trials told so far and of `rng`. */
  propose(rng: Rng): Proposal;
  /** Learns of one of its own trials, in the order of their ids. */
  observe(trial: Trial): void;
}
