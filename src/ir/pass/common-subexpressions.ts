import { subgraphsOf } from '../attributes.js';
import { type Graph, type Initializer, type Node, withGraph } from '../graph.js';
import { labelInitializer, labelNode } from '../hash/label.js';
import { isCommutative } from '../hash/term.js';
import { isKnownOp } from '../op-schema.js';
import { isRandom } from '../random.js';
import { capturedBy } from '../uses.js';
import type { Pass } from './pass.js';

/**
 * Computes equal nodes once, and stores equal constants once. Left alone: random operators, those
 * that no table knows or that have bodies, graph outputs (their names are the signature) and values
 * that bodies read.
 */
export const shareCommonSubexpressions: Pass = (graph) => {
  const fixed = fixedNames(graph);
  const renamed = new Map<string, string>();
  const rename = (name: string) => renamed.get(name) ?? name;
  const initializers = shareConstants(graph, fixed, renamed);
  const known = new Map<string, Node>();
  const nodes = graph.nodes.flatMap((before): Node[] => {
    const node = before.inputs.some((name) => renamed.has(name))
      ? { ...before, inputs: before.inputs.map(rename) }
      : before;
    if (!isKnownOp(node.op, node.domain) || isRandom(node)) return [node];
    if (subgraphsOf(node).length > 0) return [node];
    const key = keyOf(node);
    const twin = known.get(key);
    if (twin === undefined) {
      known.set(key, node);
      return [node];
    }
    if (node.outputs.some((name) => fixed.has(name))) return [node];
    node.outputs.forEach((name, i) => {
      renamed.set(name, twin.outputs[i] as string);
    });
    return [];
  });
  if (renamed.size === 0) return { graph, changed: false };
  return { graph: withGraph(graph, { nodes, initializers }), changed: true };
};

function fixedNames(graph: Graph): ReadonlySet<string> {
  return new Set([...graph.outputs.map(({ name }) => name), ...graph.nodes.flatMap(capturedBy)]);
}

function shareConstants(
  graph: Graph,
  fixed: ReadonlySet<string>,
  renamed: Map<string, string>,
): Initializer[] {
  const known = new Map<string, string>();
  return graph.initializers.filter((initializer) => {
    if (initializer.role !== 'constant') return true;
    const label = labelInitializer(initializer);
    const twin = known.get(label);
    if (twin === undefined) known.set(label, initializer.name);
    if (twin === undefined || fixed.has(initializer.name)) return true;
    renamed.set(initializer.name, twin);
    return false;
  });
}

/** Equal for nodes without bodies that compute the same and give the same outputs. */
function keyOf(node: Node): string {
  const inputs = isCommutative(node) ? node.inputs.toSorted() : node.inputs;
  const outputs = node.outputs.map((name) => (name === '' ? 0 : 1));
  return JSON.stringify([labelNode(node, () => ''), inputs, outputs]);
}
