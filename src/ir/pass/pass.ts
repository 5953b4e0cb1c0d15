/** A pass: from a legal graph to a legal graph that computes the same. */
import type { Graph } from '../graph.js';

export interface PassResult {
  readonly graph: Graph;
  /** False where the graph is returned as it was. */
  readonly changed: boolean;
}

export type Pass = (graph: Graph) => PassResult;

/** Passes one after another. */
export function runPasses(graph: Graph, passes: readonly Pass[]): PassResult {
  return passes.reduce<PassResult>(
    (before, pass) => {
      const after = pass(before.graph);
      return { graph: after.graph, changed: before.changed || after.changed };
    },
    { graph, changed: false },
  );
}
