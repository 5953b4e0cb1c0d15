/**
 * The intermediate representation: a frozen data-flow graph in the terms of ONNX. Values are named
 * by strings and assigned once; `nodes` stand in topological order. A change is a new Graph.
 *
 * What an op means is in the tables keyed by `OpName` (schema, shape, cost, gradient). A node whose
 * op no table knows is legal in a graph that was decoded from elsewhere: it round-trips and runs,
 * its outputs have no inferred type, and it cannot be trained.
 */
import type { ElementType, HostTensor, TensorData } from '../util/tensor.js';

/** A fixed size, or the name of a symbolic one; `'?'` is unknown and equal to nothing. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** What is known of a value. `shape` is absent when not even the rank is known. */
export interface TensorType {
  readonly dtype: ElementType;
  readonly shape?: Shape;
}

export interface ValueInfo extends TensorType {
  readonly name: string;
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: HostTensor }
  | { readonly kind: 'graph'; readonly value: Graph };

export type AttributeKind = Attribute['kind'];

export interface Node {
  /** Unique within the graph; for people and profiles, without meaning. */
  readonly name: string;
  readonly op: string;
  /** `''` is ONNX's own operator set. */
  readonly domain: string;
  /** Value names; `''` is an optional input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/**
 * - `weight`: trained by gradients.
 * - `state`: updated by training without gradients (running mean and variance).
 * - `constant`: part of the architecture.
 */
export type InitializerRole = 'weight' | 'state' | 'constant';

/**
 * A tensor that the graph owns. `data` of a weight or state may be absent: the evaluator draws it.
 * Constants always have data.
 */
export interface Initializer {
  readonly name: string;
  readonly role: InitializerRole;
  readonly dtype: ElementType;
  readonly dims: readonly number[];
  readonly data?: TensorData;
}

export interface Graph {
  readonly name: string;
  /** Operator set version by domain; `''` is ONNX's own. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: readonly Initializer[];
  readonly nodes: readonly Node[];
  /** Free key–value pairs, kept in the ONNX file's `metadata_props`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Operator set that Archwright writes: the newest that every deployment runtime in wide use reads,
 * and the first with LayerNormalization.
 */
export const DEFAULT_OPSET = 17;

/**
 * The newest operator set that ONNX Runtime 1.30 takes. Set 27 adds operators (LinearAttention,
 * CausalConvWithState) that are trained as graphs of older ones, and changes no other's meaning.
 */
export const NEWEST_RUNNABLE_OPSET = 26;

/** Domain of the operators that `kernels/cpu` implements. */
export const NATIVE_DOMAIN = 'archwright';

/** Freezes a graph and everything in it, typed arrays excepted (JavaScript cannot freeze those). */
export function freezeGraph(graph: Graph): Graph {
  return deepFreeze(graph);
}

/** A changed copy. */
export function withGraph(graph: Graph, change: Partial<Graph>): Graph {
  return freezeGraph({ ...graph, ...change });
}

/** The graph with the data of some initializers replaced, by name. Dims and dtype must be the same. */
export function withData(graph: Graph, data: ReadonlyMap<string, TensorData>): Graph {
  return withGraph(graph, {
    initializers: graph.initializers.map((initializer) => {
      const replacement = data.get(initializer.name);
      return replacement === undefined ? initializer : { ...initializer, data: replacement };
    }),
  });
}

/** The graph with symbolic dimensions of its inputs and outputs replaced, such as `{ N: 64 }`. */
export function withDims(graph: Graph, dims: Readonly<Record<string, number>>): Graph {
  const bind = (value: ValueInfo): ValueInfo =>
    value.shape === undefined
      ? value
      : { ...value, shape: value.shape.map((d) => (typeof d === 'string' ? (dims[d] ?? d) : d)) };
  return withGraph(graph, { inputs: graph.inputs.map(bind), outputs: graph.outputs.map(bind) });
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}
