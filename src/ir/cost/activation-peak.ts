/**
 * How many bytes of activations are alive at once, planned from liveness in the nodes' order, the
 * way inference runtimes do it:
 *
 * - A buffer lives from the node that writes it (graph inputs: from the start) to the last reader of
 *   any value in it; graph outputs to the end. At a node its inputs and outputs are alive together.
 * - A view (Reshape and the like) has no buffer of its own.
 * - An element-by-element operator writes over an input of the same size that nothing reads later,
 *   unless it is the caller's.
 * - What is computed from stored tensors alone is computed once, when the model is loaded: folded,
 *   not an activation.
 * - While a node runs a nested graph, the values in it are alive too. Its outputs lie in the node's own,
 *   and what it reads from around it is alive there already; the values that a loop carries are not.
 *
 * Limits: workspaces of kernels, alignment, and the sizes in which an arena asks for memory are not
 * in it; nor what a runtime fuses further.
 */
import { intOf } from '../attributes.js';
import type { Graph, Node } from '../graph.js';
import type { BodyScope, TypeScope } from '../infer.js';
import { isKnownOp } from '../op-schema.js';
import { readsOf } from '../uses.js';
import type { OutputKind } from './rule.js';
import { costRules } from './rules.js';
import { bytesOf } from './size.js';

export interface ActivationPlan {
  /** Most bytes of inputs and intermediate values that are alive at once. */
  readonly peakBytes: number;
  /** Bytes that are computed from stored tensors when the model is loaded. */
  readonly foldedBytes: number;
}

/** Several values in one piece of memory. */
interface Buffer {
  readonly bytes: number;
  /** Position of the last node that reads one of its values. */
  readonly lastUse: number;
  /** Belongs to the caller or the model: not to be written over. */
  readonly kept: boolean;
}

/** The plan of a graph, whose types are in `scope`. */
export function planActivations(graph: Graph, scope: TypeScope): ActivationPlan {
  return plan(graph, scope, new Set(), (name) => bytesOf(scope, name));
}

/** `outer` are stored values around a nested graph. */
function plan(
  graph: Graph,
  scope: TypeScope,
  outer: ReadonlySet<string>,
  bytesOf: (name: string) => number,
): ActivationPlan {
  const stored = storedValues(graph, outer);
  const buffers = assignBuffers(graph, stored, bytesOf);
  const alive = new Set<Buffer>();
  let bytes = 0;
  let peakBytes = 0;
  const begin = (names: readonly string[], within = 0): void => {
    for (const name of names) {
      const buffer = buffers.get(name);
      if (buffer === undefined || alive.has(buffer)) continue;
      alive.add(buffer);
      bytes += buffer.bytes;
    }
    peakBytes = Math.max(peakBytes, bytes + within);
  };
  begin(graph.inputs.map(({ name }) => name));
  graph.nodes.forEach((node, i) => {
    const bodies = [...scope.bodiesOf(node).values()];
    begin(node.outputs, Math.max(0, ...bodies.map((body) => bodyPeak(body, node, stored))));
    for (const name of [...node.outputs, ...readsOf(node)]) {
      const buffer = buffers.get(name);
      if (buffer === undefined || buffer.lastUse > i || !alive.delete(buffer)) continue;
      bytes -= buffer.bytes;
    }
  });
  const initial = new Set(graph.initializers.map(({ name }) => name));
  const folded = graph.nodes
    .filter(({ op, domain }) => op !== 'Constant' || domain !== '')
    .flatMap(({ outputs }) => outputs)
    .filter((name) => name !== '' && stored.has(name) && !initial.has(name) && !outer.has(name));
  return { peakBytes, foldedBytes: folded.reduce((sum, name) => sum + bytesOf(name), 0) };
}

/** Peak within a nested graph, over what is alive around it. */
function bodyPeak({ graph, scope }: BodyScope, node: Node, stored: ReadonlySet<string>): number {
  // What a Scan goes over is a part of the node's own input.
  const parts = node.op === 'Scan' ? intOf(node, 'num_scan_inputs', 1) : 0;
  const elsewhere = new Set([
    ...graph.outputs.map(({ name }) => name),
    ...graph.inputs.slice(graph.inputs.length - parts).map(({ name }) => name),
  ]);
  const size = (name: string) => (elsewhere.has(name) ? 0 : bytesOf(scope, name));
  return plan(graph, scope, stored, size).peakBytes;
}

/** Initializers, constants, and what follows from these alone. */
function storedValues(graph: Graph, outer: ReadonlySet<string>): ReadonlySet<string> {
  const stored = new Set([...outer, ...graph.initializers.map(({ name }) => name)]);
  for (const node of graph.nodes) {
    // Of an operator that no table knows, nobody can say that it gives the same again.
    if (!isKnownOp(node.op, node.domain)) continue;
    if (!readsOf(node).every((name) => name === '' || stored.has(name))) continue;
    for (const name of node.outputs) stored.add(name);
  }
  return stored;
}

/** The buffer of every value that is not stored. */
function assignBuffers(
  graph: Graph,
  stored: ReadonlySet<string>,
  bytesOf: (name: string) => number,
): ReadonlyMap<string, Buffer> {
  const lastUse = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    for (const name of [...node.outputs, ...readsOf(node)]) lastUse.set(name, i);
  });
  for (const { name } of graph.outputs) lastUse.set(name, graph.nodes.length);

  /** Values by buffer, while buffers still grow. */
  const groups = new Map<string, Group>();
  const create = (name: string, kept: boolean): void => {
    groups.set(name, { bytes: bytesOf(name), lastUse: lastUse.get(name) ?? -1, kept });
  };
  const join = (name: string, group: Group): void => {
    groups.set(name, group);
    group.lastUse = Math.max(group.lastUse, lastUse.get(name) ?? -1);
  };
  for (const { name } of graph.inputs) create(name, true);
  graph.nodes.forEach((node, i) => {
    const [output = ''] = node.outputs;
    const kind = outputKind(node);
    const source = groups.get(node.inputs[0] ?? '');
    const isFree = (group: Group | undefined): group is Group =>
      group !== undefined && !group.kept && group.lastUse <= i && group.bytes === bytesOf(output);
    const reusable =
      kind === 'view'
        ? source
        : kind === 'inPlace'
          ? node.inputs.map((name) => groups.get(name)).find(isFree)
          : undefined;
    for (const name of node.outputs) {
      if (name === '' || stored.has(name)) continue;
      if (name === output && reusable !== undefined) join(name, reusable);
      else create(name, false);
    }
  });
  return groups;
}

type Group = { -readonly [key in keyof Buffer]: Buffer[key] };

function outputKind({ op, domain }: Node): OutputKind {
  return isKnownOp(op, domain) ? costRules[op].output : 'new';
}
