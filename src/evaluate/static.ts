/** What is known of a graph without running it: whether it may run, what it costs, what it breaks. */
import { errorMessage } from '../errors.js';
import { type Limits, limitsBroken, reasonToRefuse } from '../guard/guard.js';
import { inferCost } from '../ir/cost.js';
import type { Graph } from '../ir/graph.js';
import { verify } from '../ir/verify.js';
import type { Metrics, Violation } from '../trial/trial.js';

export interface StaticFacts {
  /** Why it must not run; there are no other facts then. */
  readonly illegal?: string;
  readonly metrics: Metrics;
  readonly violations: readonly Violation[];
}

export function examineStatically(graph: Graph, limits: Limits): StaticFacts {
  const illegal = problemOf(graph) ?? reasonToRefuse(graph);
  if (illegal !== undefined) return { illegal, metrics: {}, violations: [] };
  const cost = inferCost(graph, { N: 1 });
  const { params, macs, weightsBytes, activationPeakBytes } = cost;
  const metrics = { params, macs, weightsBytes, activationPeakBytes };
  return { metrics, violations: limitsBroken(graph, cost, limits) };
}

function problemOf(graph: Graph): string | undefined {
  try {
    verify(graph);
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
