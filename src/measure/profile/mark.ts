/**
 * Names that survive ONNX Runtime's optimiser. It names what it fuses, moves and lays out anew after
 * what was there before (`fused Gemm_14`, `18_nchwc`, `Conv_0_token_1`), and takes a node's name for a
 * value and the other way round; with names from anywhere that is guesswork. So a model is profiled
 * under names of our own that say by themselves what they belong to: node 12 is `@12@`, its output 0
 * is `@12:0@`, node 3 in a body of node 12 is `@12/3@` (counting through all of its bodies).
 * Inputs of the graph and initializers keep their names.
 */
import type { Attribute, Graph, Node } from '../../ir/graph.js';
import { withGraph } from '../../ir/graph.js';

/** What a marked name belongs to: a node, perhaps one of its outputs, perhaps a node in its bodies. */
export interface Mark {
  /** Number of the node in the user's graph. */
  readonly node: number;
  readonly output?: number;
  readonly inner?: number;
}

export interface MarkedGraph {
  readonly graph: Graph;
  /** The user's nodes inside bodies, by the number of the node that has them. */
  readonly inner: ReadonlyMap<number, readonly Node[]>;
}

const pattern = /@(\d+)(?::(\d+)|\/(\d+))?@/;

/** The first mark in a name; undefined for a name that the runtime made up. */
export function parseMark(name: string): Mark | undefined {
  const [, node, output, inner] = pattern.exec(name) ?? [];
  if (node === undefined) return undefined;
  return {
    node: Number(node),
    ...(output !== undefined && { output: Number(output) }),
    ...(inner !== undefined && { inner: Number(inner) }),
  };
}

/** The same graph under marked names, outputs of the graph included. */
export function markGraph(graph: Graph): MarkedGraph {
  const names = new Map<string, string>();
  const inner = new Map<number, readonly Node[]>();
  const nodes = graph.nodes.map((node, i): Node => {
    const bodies: Node[] = [];
    const attributes = markBodies(node, names, `@${i}`, bodies);
    if (bodies.length > 0) inner.set(i, bodies);
    const inputs = node.inputs.map((name) => names.get(name) ?? name);
    const outputs = node.outputs.map((name, o) => {
      if (name === '') return name;
      names.set(name, `@${i}:${o}@`);
      return `@${i}:${o}@`;
    });
    return { ...node, name: `@${i}@`, inputs, outputs, attributes };
  });
  const outputs = graph.outputs.map((value) => ({
    ...value,
    name: names.get(value.name) ?? value.name,
  }));
  return { graph: withGraph(graph, { nodes, outputs }), inner };
}

/** The attributes of a node, its bodies reading the renamed outer values; `found` gets their nodes. */
function markBodies(
  node: Node,
  outer: ReadonlyMap<string, string>,
  prefix: string,
  found: Node[],
): Node['attributes'] {
  const entries = Object.entries(node.attributes).map(([key, attribute]): [string, Attribute] =>
    attribute.kind === 'graph'
      ? [key, { ...attribute, value: markBody(attribute.value, outer, prefix, found) }]
      : [key, attribute],
  );
  return Object.fromEntries(entries);
}

function markBody(
  body: Graph,
  outer: ReadonlyMap<string, string>,
  prefix: string,
  found: Node[],
): Graph {
  const visible = new Map(outer);
  for (const { name } of [...body.inputs, ...body.initializers]) visible.delete(name);
  for (const { outputs } of body.nodes) for (const name of outputs) visible.delete(name);
  const rename = (name: string): string => visible.get(name) ?? name;
  const nodes = body.nodes.map((node): Node => {
    const name = `${prefix}/${found.length}@`;
    found.push(node);
    const attributes = markBodies(node, visible, prefix, found);
    return { ...node, name, inputs: node.inputs.map(rename), attributes };
  });
  const outputs = body.outputs.map((value) => ({ ...value, name: rename(value.name) }));
  return { ...body, nodes, outputs };
}
