/**
 * What one run of a graph cannot avoid doing, whatever the runtime optimises: the arithmetic, in
 * float32 and float64, of nodes that depend on an input and lead to an output, equal nodes counted
 * once; and reading the weights of those nodes. Bodies of If, Loop and Scan, and
 * operators that no table knows, count nothing.
 */
import { subgraphsOf } from '../ir/attributes.js';
import { inferCost } from '../ir/cost.js';
import { type Graph, type Node, withDims } from '../ir/graph.js';
import { inferTypes } from '../ir/infer.js';
import { readsOf } from '../ir/uses.js';
import { tensorBytes } from '../util/tensor.js';
import type { LeastWork } from './roofline.js';

/** The least work of one run with the symbolic dimensions set to `dims`. */
export function inferLeastWork(graph: Graph, dims: Readonly<Record<string, number>>): LeastWork {
  const { byNode } = inferCost(graph, dims);
  const types = inferTypes(withDims(graph, dims));
  const needed = neededNodes(graph);
  let macs = 0;
  const read = new Set<string>();
  graph.nodes.forEach((node, i) => {
    const dtype = types.get(node.outputs[0] ?? '')?.dtype;
    // A branch may not be taken, and what is the same in every turn may be computed once.
    const cost = subgraphsOf(node).length > 0 ? 0 : (byNode[i]?.macs ?? 0);
    if (cost === 0 || !needed.has(node) || (dtype !== 'float32' && dtype !== 'float64')) return;
    macs += cost;
    for (const name of node.inputs) read.add(name);
  });
  const weights = graph.initializers.filter(({ name }) => read.has(name));
  const bytes = weights.reduce((sum, { dims, dtype }) => sum + tensorBytes(dtype, dims), 0);
  return { macs, bytes };
}

/** Nodes that no constant folding, pruning or merging of equal nodes removes. */
function neededNodes(graph: Graph): ReadonlySet<Node> {
  const varying = new Set(graph.inputs.map(({ name }) => name));
  const canonical = new Map<string, string>();
  const firsts = new Map<string, Node>();
  const kept: Node[] = [];
  for (const node of graph.nodes) {
    if (!readsOf(node).some((name) => varying.has(name))) continue;
    for (const name of node.outputs) varying.add(name);
    const key = keyOf(node, canonical);
    const first = firsts.get(key);
    if (first === undefined) {
      firsts.set(key, node);
      kept.push(node);
    } else {
      node.outputs.forEach((name, i) => {
        canonical.set(name, first.outputs[i] ?? name);
      });
    }
  }
  const wanted = new Set(graph.outputs.map(({ name }) => canonical.get(name) ?? name));
  const needed = new Set<Node>();
  for (const node of kept.reverse()) {
    if (!node.outputs.some((name) => wanted.has(name))) continue;
    needed.add(node);
    for (const name of readsOf(node)) wanted.add(canonical.get(name) ?? name);
  }
  return needed;
}

/** Equal for nodes that compute the same; nodes with tensors or bodies are equal to none. */
function keyOf(node: Node, canonical: ReadonlyMap<string, string>): string {
  const attributes = Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  if (attributes.some(([, { kind }]) => kind === 'tensor' || kind === 'graph')) return node.name;
  const inputs = node.inputs.map((name) => canonical.get(name) ?? name);
  return JSON.stringify([node.domain, node.op, inputs, attributes]);
}
