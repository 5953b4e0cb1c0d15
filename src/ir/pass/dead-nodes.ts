import { withGraph } from '../graph.js';
import { readsOf } from '../uses.js';
import type { Pass } from './pass.js';

/** Removes nodes and initializers that no output depends on. Inputs stay: they are the signature. */
export const removeDeadNodes: Pass = (graph) => {
  const live = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!node.outputs.some((name) => name !== '' && live.has(name))) return false;
      for (const name of readsOf(node)) live.add(name);
      return true;
    })
    .reverse();
  const initializers = graph.initializers.filter(({ name }) => live.has(name));
  const changed =
    nodes.length !== graph.nodes.length || initializers.length !== graph.initializers.length;
  return changed
    ? { graph: withGraph(graph, { nodes, initializers }), changed }
    : { graph, changed };
};
