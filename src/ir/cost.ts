/**
 * Static cost of a graph: parameters, multiply–accumulates, bytes moved and the peak of its
 * activations. The conventions per operator are in `cost/rules.ts`.
 */
import { UsageError } from '../errors.js';
import { elementCount, tensorBytes } from '../util/tensor.js';
import { subgraphsOf } from './attributes.js';
import { planActivations } from './cost/activation-peak.js';
import { noWork, sumWork, type Work, workOfBodies } from './cost/control.js';
import { costRules } from './cost/rules.js';
import { bytesOf, fixedDims } from './cost/size.js';
import { type Graph, type Node, withDims } from './graph.js';
import { constantOf } from './hash/label.js';
import { inferScope, type TypeScope } from './infer.js';
import { isKnownOp } from './op-schema.js';
import { formatShape, isFixed } from './shape/dims.js';

export interface NodeCost extends Work {
  readonly name: string;
  readonly op: string;
}

export interface GraphCost {
  /** Elements of the initializers with role `weight`; running statistics are not among them. */
  readonly params: number;
  /** Multiply–accumulates of one run. */
  readonly macs: number;
  /** Bytes read and written by all nodes in one run. */
  readonly bytesMoved: number;
  /** Bytes of everything that is stored: weights, state, constants. */
  readonly weightsBytes: number;
  /** Most bytes of inputs and intermediate values that are alive at once: `cost/activation-peak.ts`. */
  readonly activationPeakBytes: number;
  /** Bytes of values that follow from stored tensors alone, computed once when a model is loaded. */
  readonly foldedBytes: number;
  readonly byNode: readonly NodeCost[];
  /**
   * Operators, each once, that are not counted: no table knows them, or the sizes of their values
   * do not follow from the graph. Where there are any, every figure but `params` is a lower bound.
   */
  readonly unknownOps: readonly string[];
}

/**
 * Cost of one run with the symbolic dimensions set to `dims`. Throws `UsageError` where a dimension
 * of an input is left open.
 */
export function inferCost(graph: Graph, dims: Readonly<Record<string, number>> = {}): GraphCost {
  const bound = withDims(graph, dims);
  requireFixedInputs(bound);
  const scope = inferScope(bound);
  const unknownOps = new Set<string>();
  const byNode = bound.nodes.map((node): NodeCost => {
    return { name: node.name, op: node.op, ...workOf(node, scope, unknownOps) };
  });
  const { macs, bytesRead, bytesWritten } = sumWork(byNode);
  const activations = planActivations(bound, scope);
  return {
    params: bound.initializers
      .filter(({ role }) => role === 'weight')
      .reduce((total, { dims }) => total + elementCount(dims), 0),
    macs,
    bytesMoved: bytesRead + bytesWritten,
    weightsBytes: storedBytes(bound),
    activationPeakBytes: activations.peakBytes,
    foldedBytes: activations.foldedBytes,
    byNode,
    unknownOps: [...unknownOps],
  };
}

function requireFixedInputs(graph: Graph): void {
  for (const { name, shape } of graph.inputs) {
    const open = shape?.find((dim) => !isFixed(dim));
    if (open === undefined) continue;
    throw new UsageError(
      `graph ${graph.name}: input ${name} is ${formatShape(shape)}: expected a size for ${open}, received none`,
    );
  }
}

/** Work of a node; what cannot be counted is 0, its operators are added to `unknownOps`. */
function workOf(node: Node, scope: TypeScope, unknownOps: Set<string>): Work {
  const bodies = [...scope.bodiesOf(node).values()];
  const work =
    bodies.length === 0
      ? workOfNode(node, scope)
      : workOfBodies(
          node.op,
          bodies.map(({ graph, scope: inner, runs }) => ({
            work: sumWork(graph.nodes.map((one) => workOf(one, inner, unknownOps))),
            runs,
          })),
        );
  if (work === undefined) unknownOps.add(node.op);
  return work ?? noWork;
}

function workOfNode(node: Node, scope: TypeScope): Work | undefined {
  const { op } = node;
  if (!isKnownOp(op, node.domain)) return undefined;
  const values = [...node.inputs, ...node.outputs].filter((value) => value !== '');
  if (values.some((value) => fixedDims(scope, value) === undefined)) return undefined;
  const sizes = (names: readonly string[]) => names.map((value) => fixedDims(scope, value));
  const total = (names: readonly string[]) =>
    [...new Set(names)].reduce((bytes, value) => bytes + bytesOf(scope, value), 0);
  const rule = costRules[op];
  const written = op === 'Constant' ? 0 : total(node.outputs);
  const read = { all: () => total(node.inputs), picked: () => written, none: () => 0 };
  return {
    macs: rule.macs({ node, inputs: sizes(node.inputs), outputs: sizes(node.outputs) }),
    bytesRead: read[rule.reads](),
    bytesWritten: written,
  };
}

/** Bytes of initializers, and of Constant nodes, which are the same written otherwise, in bodies too. */
function storedBytes(graph: Graph): number {
  const constants = graph.nodes.map(constantOf).filter((tensor) => tensor !== undefined);
  const own = [...graph.initializers, ...constants].reduce(
    (bytes, { dtype, dims }) => bytes + tensorBytes(dtype, dims),
    0,
  );
  return graph.nodes.flatMap(subgraphsOf).reduce((bytes, body) => bytes + storedBytes(body), own);
}
