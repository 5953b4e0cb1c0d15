/** A family of blocks: what a stage repeats. */
import type { GraphBuilder } from '../../ir/builder.js';
import type { Norm, Stage } from '../conv-architecture.js';

/** What a block is told besides the genes of its stage. */
export interface BlockContext {
  readonly norm: Norm;
  /** Of this block: the stage's stride in its first block, 1 in the others. */
  readonly stride: number;
}

/** Adds one block that reads `input` [N, C, H, W] under the names `prefix.…`; returns its output. */
export type Block<S extends Stage> = (
  builder: GraphBuilder,
  input: string,
  prefix: string,
  genes: S,
  context: BlockContext,
) => string;
