/** Names of the deployment graph's values in the step graph, kept apart from the step's own. */
import { type Graph, withGraph } from '../ir/graph.js';
import { renameReads } from '../ir/uses.js';

const PREFIX = 'net/';

/** The name in the step graph; an input left out stays so. */
export function stepName(name: string): string {
  return name === '' ? '' : PREFIX + name;
}

/** The name in the deployment graph. */
export function ownName(name: string): string {
  return name.slice(PREFIX.length);
}

/** The graph with all its names as they are in the step graph; bodies keep those of their own. */
export function withStepNames(graph: Graph): Graph {
  const named = <T extends { readonly name: string }>(value: T): T => ({
    ...value,
    name: stepName(value.name),
  });
  return withGraph(graph, {
    inputs: graph.inputs.map(named),
    outputs: graph.outputs.map(named),
    initializers: graph.initializers.map(named),
    nodes: graph.nodes.map((node) => ({
      ...renameReads(node, stepName),
      outputs: node.outputs.map(stepName),
    })),
  });
}
