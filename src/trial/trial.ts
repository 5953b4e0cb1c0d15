/**
 * The shared vocabulary of a search: what was proposed, what became of it. Data only; everything
 * here is JSON and frozen once made.
 */

/** A plain JSON value: architectures are data, never code. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Numbers known of a trial by metric name, such as `accuracy`, `latencyMs`, `params`. */
export type Metrics = Readonly<Record<string, number>>;

/** What an agent hands in: a point of the search space, and where it came from. */
export interface Proposal {
  readonly architecture: Json;
  /** The operator that made it, such as `sample`, `mutate`, `crossover`. */
  readonly operator: string;
  /** Ids of the trials it was made from. */
  readonly parents: readonly number[];
}

/** A limit that a trial broke. */
export interface Violation {
  readonly metric: string;
  readonly limit: number;
  readonly actual: number;
}

/** Fields that every trial has. */
export interface TrialBase extends Proposal {
  /** Counted from 1 in the order of proposal. */
  readonly id: number;
  /** Name of the agent that proposed it; `baseline` for human designs. */
  readonly agent: string;
  /** Canonical hash of the decoded graph. */
  readonly hash: string;
  /** One line for people. */
  readonly description: string;
  /** Seconds of evaluation spent. */
  readonly costSeconds: number;
}

/** Went through every stage and holds every constraint. */
export interface CompleteTrial extends TrialBase {
  readonly state: 'complete';
  readonly metrics: Metrics;
}

/** Stopped early because others promised more; holds the constraints seen so far. */
export interface PrunedTrial extends TrialBase {
  readonly state: 'pruned';
  readonly stage: string;
  readonly reason: string;
  readonly metrics: Metrics;
}

/** Breaks a hard constraint, by a measured amount. Never on the front. */
export interface InfeasibleTrial extends TrialBase {
  readonly state: 'infeasible';
  readonly stage: string;
  readonly violations: readonly Violation[];
  readonly metrics: Metrics;
}

/** Could not be evaluated: a crash, a hang, a divergence, an illegal graph. */
export interface FailedTrial extends TrialBase {
  readonly state: 'failed';
  readonly stage: string;
  readonly reason: string;
  readonly metrics: Metrics;
}

export type Trial = CompleteTrial | PrunedTrial | InfeasibleTrial | FailedTrial;
export type TrialState = Trial['state'];
