/** Who uses which value, subgraphs included: the body of an If or Loop may read outer values. */
import { mapSubgraphs, subgraphsOf } from './attributes.js';
import type { Graph, Node } from './graph.js';

/** The nodes of a graph and of all bodies in it. */
export function allNodes(graph: Pick<Graph, 'nodes'>): Node[] {
  return graph.nodes.flatMap((node) => [node, ...subgraphsOf(node).flatMap(allNodes)]);
}

/** Outer values that the bodies of a node read, each once. */
export function capturedBy(node: Node): readonly string[] {
  const bodies = subgraphsOf(node);
  return bodies.length === 0 ? [] : [...new Set(bodies.flatMap(freeNames))];
}

/** All values that a node reads: its inputs that are given, and what its bodies capture. */
export function readsOf(node: Node): readonly string[] {
  const inputs = node.inputs.filter((name) => name !== '');
  const captured = capturedBy(node);
  return captured.length === 0 ? inputs : [...inputs, ...captured];
}

/** The node with every value that it reads renamed, those that its bodies capture included. */
export function renameReads(node: Node, rename: (name: string) => string): Node {
  const inputs = node.inputs.map((name) => (name === '' ? '' : rename(name)));
  return mapSubgraphs({ ...node, inputs }, (body) => {
    const own = ownNames(body);
    const renameFree = (name: string) => (own.has(name) ? name : rename(name));
    return {
      ...body,
      nodes: body.nodes.map((inner) => renameReads(inner, renameFree)),
      outputs: body.outputs.map((output) => ({ ...output, name: renameFree(output.name) })),
    };
  });
}

/** Names that a graph itself gives to values. */
function ownNames(body: Graph): ReadonlySet<string> {
  return new Set([
    ...body.inputs.map(({ name }) => name),
    ...body.initializers.map(({ name }) => name),
    ...body.nodes.flatMap(({ outputs }) => outputs),
  ]);
}

function freeNames(body: Graph): string[] {
  const own = ownNames(body);
  const read = [...body.nodes.flatMap(readsOf), ...body.outputs.map(({ name }) => name)];
  return read.filter((name) => !own.has(name));
}

/** Number of readers of each value, outputs of the graph counted too. */
export function countUses(graph: Graph): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  const count = (name: string) => uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const node of graph.nodes) readsOf(node).forEach(count);
  for (const { name } of graph.outputs) count(name);
  return uses;
}

/** The node that makes each value. */
export function producersOf(graph: Graph): ReadonlyMap<string, Node> {
  const pairs = graph.nodes.flatMap((node) =>
    node.outputs.filter((name) => name !== '').map((name) => [name, node] as const),
  );
  return new Map(pairs);
}
