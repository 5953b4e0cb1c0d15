/**
 * A family of search spaces. A space is pure: it knows architectures (JSON) and graphs, nothing of
 * devices, training or storage. Every draw comes from the `Rng` passed in.
 */
import type { z } from 'zod';
import type { Graph } from '../ir/graph.js';
import type { Rng } from '../util/random.js';

/** Shape of the task that a space designs for. */
export interface TaskShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
}

/** A human design that stands beside the space, trained by the same recipe. */
export interface Baseline<A = unknown> {
  readonly name: string;
  readonly graph: Graph;
  /** The point of the space that it is, where it is one. */
  readonly architecture?: A;
}

/** One of the choices that an architecture is made of. */
export interface Decision {
  readonly name: string;
  /** Number of options; a choice is one of 0 … options − 1. */
  readonly options: number;
  /** What each option stands for. */
  readonly values: readonly (number | string | boolean)[];
  /** Whether neighbouring options are alike, as widths are and kinds of blocks are not. */
  readonly ordered: boolean;
}

/**
 * One network that holds all architectures of a space and shares weights among them (one-shot search,
 * DARTS arXiv 1806.09055). With one gate of each decision at 1 and the others at 0 it computes what
 * that architecture computes, at the supernet's own scale.
 */
export interface Supernet {
  /**
   * Like a deployment graph, with scalar float32 inputs besides: the gates. Gates of options that add
   * nothing may be read by no node.
   */
  readonly graph: Graph;
  /** Names of the gates by decision and option. */
  readonly gates: readonly (readonly string[])[];
  /** Options of an architecture in which every decision counts: what to compare single options with. */
  readonly reference: readonly number[];
}

export interface Space<A> {
  readonly name: string;
  readonly task: TaskShape;
  /** The form of an architecture in JSON; `parse` holds it against the task besides. */
  readonly schema: z.ZodType;
  /** A random architecture, legal for the task. */
  sample(rng: Rng): A;
  /** A changed copy, different from `architecture`; `changes` edits at once (at least 1). */
  mutate(architecture: A, rng: Rng, changes?: number): A;
  /** A child that takes each part from one parent or the other. */
  cross(a: A, b: A, rng: Rng): A;
  /** Architectures one edit away: all of them, or a sample of several dozen where there are more. */
  neighbours(architecture: A, rng: Rng): readonly A[];
  /** Every architecture, in an order of its own; absent where they are too many to list. */
  list?(): readonly A[];
  /** The decisions of every architecture, always the same list. */
  readonly decisions: readonly Decision[];
  /** The option taken for each decision; −1 where a decision does not apply. */
  choices(architecture: A): readonly number[];
  /** The architecture of one option per decision, made legal where options exclude one another. */
  fromChoices(choices: readonly number[]): A;
  /** Numbers that describe an architecture to a statistical model, always as many. */
  features(architecture: A): Float64Array;
  /**
   * The deployment graph: input `image` float32 [N, channels, height, width], output `logits`
   * float32 [N, classes], batch normalisation in inference form, weights without data.
   */
  decode(architecture: A): Graph;
  /** One line for people. */
  describe(architecture: A): string;
  /** Checks foreign JSON (from a ledger, a file, an outside agent); throws `UsageError`. */
  parse(json: unknown): A;
  /** The supernet; absent where the architectures do not fit into one. */
  supernet?(): Supernet;
  /** Human designs scaled to the task. */
  baselines(): readonly Baseline<A>[];
}
