/**
 * Static limits on what may be trained and run at all, looked at before anything is allocated: a
 * proposal is foreign data, whoever made it.
 */
import { subgraphsOf } from '../ir/attributes.js';
import type { GraphCost } from '../ir/cost.js';
import type { Graph, Node } from '../ir/graph.js';
import { constantOf } from '../ir/hash/label.js';
import { inferScope, type TypeScope } from '../ir/infer.js';
import { isKnownOp } from '../ir/op-schema.js';
import { allNodes, readsOf } from '../ir/uses.js';
import type { Violation } from '../trial/trial.js';
import { tensorBytes } from '../util/tensor.js';

/** The most that a candidate may be; sizes for one input image. */
export interface Limits {
  readonly maxParams: number;
  readonly maxMacs: number;
  readonly maxActivationBytes: number;
  readonly maxNodes: number;
}

/** Constants are part of an architecture, weights are not: more than this smells of baked answers. */
const MAX_CONSTANT_BYTES = 1024 * 1024;

/** The limits that a graph of this cost breaks. */
export function limitsBroken(graph: Graph, cost: GraphCost, limits: Limits): Violation[] {
  const actual: readonly (readonly [string, number, number])[] = [
    ['params', limits.maxParams, cost.params],
    ['macs', limits.maxMacs, cost.macs],
    ['activationPeakBytes', limits.maxActivationBytes, cost.activationPeakBytes],
    ['nodes', limits.maxNodes, allNodes(graph).length],
  ];
  return actual.flatMap(([metric, limit, value]) =>
    value <= limit ? [] : [{ metric, limit, actual: value }],
  );
}

/**
 * Why a verified graph must not run, or undefined: operators outside the tables (custom domains are),
 * loops that data could keep going, bulky constants, an output that no input reaches. Bodies count as
 * what is around them.
 */
export function reasonToRefuse(graph: Graph): string | undefined {
  const foreign = allNodes(graph).find(({ op, domain }) => domain !== '' || !isKnownOp(op));
  if (foreign !== undefined) {
    return `node ${foreign.name}: the operator ${foreign.op} is not among those that may run`;
  }
  const endless = findEndless(graph, inferScope(graph));
  if (endless !== undefined) {
    return `node ${endless.name}: expected a Loop whose number of turns is fixed, received one whose is not`;
  }
  const constantBytes = constantBytesOf(graph);
  if (constantBytes > MAX_CONSTANT_BYTES) {
    return `its constants hold ${constantBytes} bytes, expected at most ${MAX_CONSTANT_BYTES}`;
  }
  const reached = new Set(graph.inputs.map((input) => input.name));
  for (const node of graph.nodes) {
    if (readsOf(node).some((name) => reached.has(name))) {
      for (const output of node.outputs) reached.add(output);
    }
  }
  const blind = graph.outputs.find((output) => !reached.has(output.name));
  return blind === undefined ? undefined : `its output ${blind.name} does not depend on any input`;
}

/** A Loop of which it is not known how often it runs. */
function findEndless(graph: Graph, scope: TypeScope): Node | undefined {
  for (const node of graph.nodes) {
    for (const body of scope.bodiesOf(node).values()) {
      if (node.op === 'Loop' && body.runs === undefined) return node;
      const inner = findEndless(body.graph, body.scope);
      if (inner !== undefined) return inner;
    }
  }
  return undefined;
}

/** Bytes of all constants, however they are written. */
function constantBytesOf(graph: Graph): number {
  const constants = [
    ...graph.initializers.filter(({ role }) => role === 'constant'),
    ...graph.nodes.map(constantOf).filter((tensor) => tensor !== undefined),
  ];
  const own = constants.reduce((sum, { dims, dtype }) => sum + tensorBytes(dtype, dims), 0);
  return graph.nodes.flatMap(subgraphsOf).reduce((sum, body) => sum + constantBytesOf(body), own);
}
