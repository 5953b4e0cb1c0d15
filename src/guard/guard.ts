/**
 * Static limits on what may be trained and run at all, looked at before anything is allocated: a
 * proposal is foreign data, whoever made it.
 */
import type { GraphCost } from '../ir/cost.js';
import type { Graph } from '../ir/graph.js';
import { isKnownOp } from '../ir/op-schema.js';
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
    ['nodes', limits.maxNodes, graph.nodes.length],
  ];
  return actual.flatMap(([metric, limit, value]) =>
    value <= limit ? [] : [{ metric, limit, actual: value }],
  );
}

/**
 * Why a graph must not run, or undefined: operators outside the tables (which include all control
 * flow and custom domains), bulky constants, an output that no input reaches.
 */
export function reasonToRefuse(graph: Graph): string | undefined {
  const foreign = graph.nodes.find(({ op, domain }) => domain !== '' || !isKnownOp(op));
  if (foreign !== undefined) {
    return `node ${foreign.name}: the operator ${foreign.op} is not among those that may run`;
  }
  const constantBytes = graph.initializers
    .filter(({ role }) => role === 'constant')
    .reduce((sum, { dims, dtype }) => sum + tensorBytes(dtype, dims), 0);
  if (constantBytes > MAX_CONSTANT_BYTES) {
    return `its constants hold ${constantBytes} bytes, expected at most ${MAX_CONSTANT_BYTES}`;
  }
  const reached = new Set(graph.inputs.map((input) => input.name));
  for (const node of graph.nodes) {
    if (node.inputs.some((name) => reached.has(name))) {
      for (const output of node.outputs) reached.add(output);
    }
  }
  const blind = graph.outputs.find((output) => !reached.has(output.name));
  return blind === undefined ? undefined : `its output ${blind.name} does not depend on any input`;
}
