/**
 * Static cost of a graph: parameters, multiply–accumulates, bytes moved and the peak of its
 * activations. The conventions per operator are in `cost/rules.ts`.
 */
import { UsageError } from '../errors.js';
import { elementCount, tensorBytes } from '../util/tensor.js';
import { planActivations } from './cost/activation-peak.js';
import { costRules } from './cost/rules.js';
import { type Graph, type Node, type TensorType, withDims } from './graph.js';
import { inferTypes } from './infer.js';
import { isKnownOp } from './op-schema.js';
import { formatShape, isFixed } from './shape/dims.js';

export interface NodeCost {
  readonly name: string;
  readonly op: string;
  readonly macs: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
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
  const types = inferTypes(bound);
  const unknownOps = new Set<string>();
  const byNode = bound.nodes.map((node) => {
    const cost = costOf(node, types);
    if (cost === undefined) unknownOps.add(node.op);
    return cost ?? { name: node.name, op: node.op, macs: 0, bytesRead: 0, bytesWritten: 0 };
  });
  const sum = (pick: (cost: NodeCost) => number) => byNode.reduce((t, c) => t + pick(c), 0);
  const activations = planActivations(bound, (name) => bytesOf(types, name));
  return {
    params: bound.initializers
      .filter(({ role }) => role === 'weight')
      .reduce((total, { dims }) => total + elementCount(dims), 0),
    macs: sum(({ macs }) => macs),
    bytesMoved: sum(({ bytesRead, bytesWritten }) => bytesRead + bytesWritten),
    weightsBytes: storedBytes(bound, types),
    activationPeakBytes: activations.peakBytes,
    foldedBytes: activations.foldedBytes,
    byNode,
    unknownOps: [...unknownOps],
  };
}

type Types = ReadonlyMap<string, TensorType>;

function requireFixedInputs(graph: Graph): void {
  for (const { name, shape } of graph.inputs) {
    const open = shape?.find((dim) => !isFixed(dim));
    if (open === undefined) continue;
    throw new UsageError(
      `graph ${graph.name}: input ${name} is ${formatShape(shape)}: expected a size for ${open}, received none`,
    );
  }
}

/** Fixed dims of a value; undefined when they are not known. */
function fixedDims(types: Types, name: string): readonly number[] | undefined {
  const shape = types.get(name)?.shape;
  return shape?.every(isFixed) ? (shape as readonly number[]) : undefined;
}

/** Bytes of a value; 0 when its size is not known. */
function bytesOf(types: Types, name: string): number {
  const type = types.get(name);
  const dims = fixedDims(types, name);
  return type === undefined || dims === undefined ? 0 : tensorBytes(type.dtype, dims);
}

function costOf(node: Node, types: Types): NodeCost | undefined {
  const { name, op } = node;
  if (!isKnownOp(op, node.domain)) return undefined;
  const values = [...node.inputs, ...node.outputs].filter((value) => value !== '');
  if (values.some((value) => fixedDims(types, value) === undefined)) return undefined;
  const sizes = (names: readonly string[]) => names.map((value) => fixedDims(types, value));
  const total = (names: readonly string[]) =>
    [...new Set(names)].reduce((bytes, value) => bytes + bytesOf(types, value), 0);
  const rule = costRules[op];
  const written = op === 'Constant' ? 0 : total(node.outputs);
  const read = { all: () => total(node.inputs), picked: () => written, none: () => 0 };
  return {
    name,
    op,
    macs: rule.macs({ node, inputs: sizes(node.inputs), outputs: sizes(node.outputs) }),
    bytesRead: read[rule.reads](),
    bytesWritten: written,
  };
}

const isStored = (node: Node) => node.op === 'Constant' && node.domain === '';

/** Initializers, and Constant nodes, which are the same written otherwise. */
function storedBytes(graph: Graph, types: Types): number {
  const constants = graph.nodes.filter(isStored).flatMap(({ outputs }) => outputs);
  return [...graph.initializers.map(({ name }) => name), ...constants].reduce(
    (bytes, name) => bytes + bytesOf(types, name),
    0,
  );
}
