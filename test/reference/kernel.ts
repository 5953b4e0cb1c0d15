import { intsOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import type { Tensor } from './tensor.js';

/** Outputs of a node for its inputs; an input left out is undefined. `opset` is ONNX's own. */
export type Kernel = (
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  opset: number,
) => readonly Tensor[];
export type Kernels = Readonly<Record<string, Kernel>>;

/** What is around a node with nested graphs. */
export interface Surroundings {
  readonly opset: number;
  /** Outputs of the graph in that attribute, amid the values around the node. */
  runBody(attribute: string, inputs: readonly Tensor[]): readonly Tensor[];
}

/** A kernel of an operator with nested graphs. */
export type NestingKernel = (
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  around: Surroundings,
) => readonly Tensor[];

/** The i-th input, which must be there. */
export function need(inputs: readonly (Tensor | undefined)[], i: number): Tensor {
  const value = inputs[i];
  if (value === undefined) throw new Error(`input ${i} is missing`);
  return value;
}

/** Integers from an input or, in older operator sets, from an attribute. */
export function integers(
  node: Node,
  attribute: string,
  input: Tensor | undefined,
): readonly number[] | undefined {
  return input === undefined ? intsOf(node, attribute) : Array.from(input.data);
}

export function positive(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

export function count(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
