/**
 * The nodes of a nested graph in the place of the node that it belongs to, once or turn by turn, under
 * names of their own. What they read from around them keeps its name, so gradients reach it.
 */
import type { Graph, Node } from '../../ir/graph.js';
import { isKnownOp } from '../../ir/op-schema.js';
import { renameReads } from '../../ir/uses.js';
import type { NodeContext } from './rule.js';

/**
 * Most nodes of a forward pass with its loops unrolled. A training step has about three times as many;
 * ONNX Runtime 1.30 was seen to take a minute to prepare 32,000, and longer than in proportion for more.
 */
export const MAX_UNROLLED_NODES = 12_000;

/** Appends the body for these inputs and gives its outputs. */
export type RunBody = (inputs: readonly string[]) => readonly string[];

/** Prepares a nested graph: what it owns is stored once, for all runs. */
export function inlineBody(c: NodeContext, body: Graph): RunBody {
  const shared = new Map<string, string>();
  for (const { name, dtype, dims, data } of body.initializers) {
    if (data === undefined) throw c.refuse(`${name} in its body has no data`);
    shared.set(name, c.builder.constant({ dtype, dims, data }, `${c.node.name}.${name}`));
  }
  let turn = 0;
  return (inputs) => {
    requireRoom(c, body.nodes.length, 1);
    const names = new Map(shared);
    body.inputs.forEach(({ name }, i) => {
      names.set(name, inputs[i] as string);
    });
    const label = `${c.node.name}.${turn++}`;
    const rename = (name: string) => names.get(name) ?? name;
    for (const node of body.nodes) appendCopy(c, node, label, names, rename);
    return body.outputs.map(({ name }) => rename(name));
  };
}

function appendCopy(
  c: NodeContext,
  node: Node,
  label: string,
  names: Map<string, string>,
  rename: (name: string) => string,
): void {
  if (!isKnownOp(node.op, node.domain)) {
    throw c.refuse(
      `its body has ${node.domain || 'ai.onnx'}::${node.op}, whose gradient is not known`,
    );
  }
  const copy = renameReads(node, rename);
  const outputs = node.outputs.map((name) => {
    if (name === '') return '';
    const own = c.builder.fresh(`${label}.${name}`);
    names.set(name, own);
    return own;
  });
  c.append({ ...copy, name: `${label}.${node.name}`, outputs });
}

/** Refuses what unrolls to a graph that nobody could run: so many nodes in each of so many turns. */
export function requireRoom(c: NodeContext, nodes: number, turns: number): void {
  if (c.builder.nodeCount + nodes * turns <= MAX_UNROLLED_NODES) return;
  throw c.refuse(
    `its turns written out, the graph would have more than ${MAX_UNROLLED_NODES} nodes: ` +
      `${nodes} in each of ${turns}, beside ${c.builder.nodeCount} others`,
  );
}
