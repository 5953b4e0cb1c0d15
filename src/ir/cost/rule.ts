/**
 * What one run of an operator costs. Conventions:
 *
 * - 1 MAC is 1 multiplication and 1 addition (2 FLOPs). Only matrix products and convolutions
 *   count; bias, activation, normalisation, pooling and other element-by-element work are 0, as in
 *   the published figures of the usual networks.
 * - An operator reads each distinct input once and writes each output once: Reshape and Transpose
 *   move their bytes like any other. Those that pick (Gather, Slice) read what they pick; Shape reads
 *   nothing.
 * - Where the first output lies matters for the memory alone: views share the memory of their first
 *   input, and what works element by element may write over an input (a normalisation with fixed
 *   statistics is such, and runtimes fold it into the convolution before it).
 */
import { elementCount } from '../../util/tensor.js';
import type { Node } from '../graph.js';

/** A fixed tensor size; undefined where an input or output is left out. */
export type Dims = readonly number[] | undefined;

/** What a cost rule sees. */
export interface CostContext {
  readonly node: Node;
  readonly inputs: readonly Dims[];
  readonly outputs: readonly Dims[];
}

/** Memory of an operator's first output: its own, that of an input which ends here, or its first input's. */
export type OutputKind = 'new' | 'inPlace' | 'view';

export interface CostRule {
  readonly macs: (context: CostContext) => number;
  /** Which inputs are read: all of them, as many bytes as are written, or none. */
  readonly reads: 'all' | 'picked' | 'none';
  readonly output: OutputKind;
}

/** Number of elements; 0 of what is left out. */
export const sizeOf = (dims: Dims) => (dims === undefined ? 0 : elementCount(dims));

/** Moves or transforms elements. */
export const moving: CostRule = { macs: () => 0, reads: 'all', output: 'new' };
/** Transforms element by element. */
export const elementwise: CostRule = { ...moving, output: 'inPlace' };
/** Only the dims change. */
export const view: CostRule = { ...moving, output: 'view' };
export const picking: CostRule = { ...moving, reads: 'picked' };
/** Makes a constant, or asks only for a shape. */
export const shapeOnly: CostRule = { ...moving, reads: 'none' };
