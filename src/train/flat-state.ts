/**
 * What changes from step to step, as a few flat vectors: tensors that are updated alike lie one after
 * the other, so that an update is a handful of nodes however many layers there are.
 */
import { UsageError } from '../errors.js';
import type { GraphBuilder } from '../ir/builder.js';
import type { Graph, Initializer } from '../ir/graph.js';
import { MAX_CONTENTS } from '../ir/shape/contents.js';
import { elementCount, type HostTensor } from '../util/tensor.js';
import type { NextState } from './optimizer.js';
import { ownName } from './step-names.js';

/** Where one tensor of the deployment graph lies in a flat vector. */
export interface Slot {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

/** A flat vector that goes in as `name` and comes out as `next`. */
export interface DeclaredVector extends NextState {
  readonly length: number;
  /** Tensors of the deployment graph in it; none for the optimiser's own state, which starts at 0. */
  readonly slots: readonly Slot[];
  /** The state vector that holds this one's running mean, which then is the result of the training. */
  readonly average?: string;
}

/** Places of tensors of the step graph that lie one after the other. */
export function slotsOf(members: readonly Initializer[]): Slot[] {
  let offset = 0;
  return members.map(({ name, dims }) => {
    const length = elementCount(dims);
    offset += length;
    return { name: ownName(name), offset: offset - length, length };
  });
}

/** The input vector cut into tensors under their own names. */
export function appendUnpacked(
  b: GraphBuilder,
  vector: string,
  members: readonly Initializer[],
): void {
  const sizes = members.map(({ dims }) => elementCount(dims));
  b.input(vector, 'float32', [sizes.reduce((sum, size) => sum + size, 0)]);
  const plain = { domain: '', attributes: {} };
  // Inference follows only short lists of sizes; parts of a longer one get their dims by Reshape.
  const isKnown = members.length <= MAX_CONTENTS;
  const isWhole = ({ dims }: Initializer) => dims.length === 1 && isKnown;
  const parts = members.map((one) => (isWhole(one) ? one.name : `${one.name}.part`));
  b.append({
    ...plain,
    name: `${vector}.split`,
    op: 'Split',
    inputs: [vector, b.ints(sizes)],
    outputs: parts,
  });
  members.forEach((one, i) => {
    if (isWhole(one)) return;
    const { name, dims } = one;
    const inputs = [parts[i] as string, b.ints(dims)];
    b.append({ ...plain, name: `${name}.reshape`, op: 'Reshape', inputs, outputs: [name] });
  });
}

/** Gradients of the members, zeros where the loss does not depend on one. */
export function appendPieces(
  b: GraphBuilder,
  members: readonly Initializer[],
  gradients: ReadonlyMap<string, string>,
): string[] {
  const zeros = ({ dims }: Initializer) =>
    b.op('Expand', [b.scalar(0), b.ints([elementCount(dims)])]);
  return members.map((one) => gradients.get(one.name) ?? zeros(one));
}

/** Tensors one after the other as one vector. */
export function appendPacked(b: GraphBuilder, vector: string, pieces: readonly string[]): string {
  const flat = pieces.map((name) =>
    b.dimsOf(name).length === 1
      ? name
      : b.op('Reshape', [name, b.ints([b.sizeOf(name)])], {}, `${name}.flat`),
  );
  return flat.length === 1 ? (flat[0] as string) : b.op('Concat', flat, { axis: 0 }, vector);
}

/** One of a finished step graph. */
export interface StateVector extends DeclaredVector {
  /** Whether `next` may be written over it while the graph runs. */
  readonly inPlace: boolean;
}

interface WithState {
  readonly state: readonly StateVector[];
}

/** Values of the state vectors before the first step, from the data of the graph's initializers. */
export function packState(step: WithState, graph: Graph): HostTensor[] {
  const known = new Map(graph.initializers.map((i) => [i.name, i]));
  return step.state.map(({ length, slots }) => {
    const data = new Float32Array(length);
    for (const { name, offset } of slots) {
      const values = known.get(name)?.data;
      if (values === undefined)
        throw new UsageError(`weight ${name}: expected data, received none`);
      data.set(values as Float32Array, offset);
    }
    return { dtype: 'float32', dims: [length], data };
  });
}

/** The tensors of the deployment graph in the state vectors, or their running means, by name. */
export function unpackState(
  { state }: WithState,
  values: readonly HostTensor[],
): Map<string, Float32Array> {
  const dataOf = (name: string) =>
    (values[state.findIndex((vector) => vector.name === name)] as HostTensor).data as Float32Array;
  return new Map(
    state.flatMap(({ name: vector, average, slots }) => {
      if (slots.length === 0) return [];
      const data = dataOf(average ?? vector);
      return slots.map(
        ({ name, offset, length }) => [name, data.slice(offset, offset + length)] as const,
      );
    }),
  );
}
