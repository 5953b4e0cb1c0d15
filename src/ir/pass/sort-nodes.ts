import { type Graph, type Node, withGraph } from '../graph.js';
import { producersOf, readsOf } from '../uses.js';
import { GraphError } from '../verify.js';
import type { Pass } from './pass.js';

/** Topological order, as close to the given one as it can be. Throws `GraphError` on a cycle. */
export const sortNodes: Pass = (graph) => {
  const nodes = sorted(graph);
  const changed = nodes.some((node, i) => node !== graph.nodes[i]);
  return changed ? { graph: withGraph(graph, { nodes }), changed } : { graph, changed };
};

function sorted(graph: Graph): Node[] {
  const producers = producersOf(graph);
  const state = new Map<Node, 'open' | 'done'>();
  const result: Node[] = [];
  for (const start of graph.nodes) {
    const stack = [start];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      if (state.get(node) === undefined) {
        state.set(node, 'open');
        for (const name of readsOf(node).toReversed()) {
          const producer = producers.get(name);
          if (producer === undefined || state.get(producer) === 'done') continue;
          if (state.get(producer) === 'open') {
            throw new GraphError(`graph ${graph.name}: node ${producer.name} depends on itself`);
          }
          stack.push(producer);
        }
        continue;
      }
      stack.pop();
      if (state.get(node) === 'open') result.push(node);
      state.set(node, 'done');
    }
  }
  return result;
}
