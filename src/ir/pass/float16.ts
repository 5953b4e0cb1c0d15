/**
 * Weights and activations in binary16, inputs and outputs of the graph as they were: a Cast stands
 * wherever the two meet, one per value. Half of the bytes, and half of the arithmetic where the
 * device has it; a device without kernels of that type casts back and forth and becomes slower.
 */
import { encodeFloat16 } from '../../util/half.js';
import type { HostTensor } from '../../util/tensor.js';
import { subgraphsOf, tensorOf } from '../attributes.js';
import { elementCodes } from '../element-codes.js';
import { type Graph, type Initializer, type Node, type TensorType, withGraph } from '../graph.js';
import { inferTypes } from '../infer.js';
import { isKnownOp, type OpName } from '../op-schema.js';
import { capturedBy } from '../uses.js';
import { freshNamer } from './fresh-names.js';
import { storeConstants } from './store-constants.js';

/** The largest finite binary16, and the smallest that has all its digits. */
const HALF_MAX = 65504;
const HALF_MIN_NORMAL = 2 ** -14;

export interface Float16Options {
  /** Names of nodes to be left in float32. */
  readonly keep?: readonly string[];
  /** Largest magnitude that each value took, by name, where it is known. */
  readonly magnitudes?: ReadonlyMap<string, number>;
}

/** A node that stayed in float32, and why. */
export interface KeptNode {
  readonly node: string;
  readonly op: string;
  readonly reason: string;
  /** The value that float16 cannot hold, where that is the reason. */
  readonly value?: { readonly name: string; readonly magnitude: number };
}

export interface Float16Result {
  readonly graph: Graph;
  readonly changed: boolean;
  readonly kept: readonly KeptNode[];
}

const sums = 'sums of many terms lose digits in float16';
const powers = 'powers leave the range of float16';
const typed = 'its element type is its meaning';

/** What stays in float32 wherever it stands. */
const float32Ops: Partial<Readonly<Record<OpName, string>>> = {
  Bernoulli: typed,
  BitCast: typed,
  BlackmanWindow: typed,
  Cast: typed,
  Cosh: powers,
  CumProd: powers,
  CumSum: sums,
  DequantizeLinear: 'its scale is float32',
  DFT: sums,
  Exp: powers,
  EyeLike: typed,
  GroupNormalization: sums,
  HammingWindow: typed,
  HannWindow: typed,
  InstanceNormalization: sums,
  LayerNormalization: sums,
  LogSoftmax: sums,
  LpNormalization: sums,
  LRN: powers,
  MeanVarianceNormalization: sums,
  MelWeightMatrix: typed,
  Multinomial: typed,
  NegativeLogLikelihoodLoss: sums,
  Pow: powers,
  QuantizeLinear: 'its scale is float32',
  RandomNormal: typed,
  RandomNormalLike: typed,
  RandomUniform: typed,
  RandomUniformLike: typed,
  Range: sums,
  ReduceL1: sums,
  ReduceL2: sums,
  ReduceLogSum: sums,
  ReduceLogSumExp: sums,
  ReduceMean: sums,
  ReduceProd: powers,
  ReduceSum: sums,
  ReduceSumSquare: sums,
  RMSNormalization: sums,
  Sinh: powers,
  Softmax: sums,
  SoftmaxCrossEntropyLoss: sums,
  STFT: sums,
};

/**
 * The graph in float16. Left in float32, each with its reason: operators that need the digits
 * (`float32Ops`), those outside our tables, nodes with bodies, and nodes that read a stored tensor
 * that float16 cannot hold (beyond ±65504, or with nothing above its smallest normal number) or
 * make values known to go beyond it.
 */
export function toFloat16(source: Graph, options: Float16Options = {}): Float16Result {
  const { graph } = storeConstants(source);
  const types = inferTypes(graph);
  const rewrite = new Rewrite(graph, types);
  const stored = new Map(graph.initializers.map((one) => [one.name, one]));
  const keep = new Set(options.keep);
  const kept: KeptNode[] = [];
  const half = new Set<Node>();
  for (const node of graph.nodes) {
    const touched = [...node.inputs, ...node.outputs].filter((name) => name !== '');
    if (!isUnknown(node, types, touched) && !touched.some((name) => rewrite.isFloat(name)))
      continue;
    const kind = keep.has(node.name) ? 'asked for' : reasonOf(node, types, touched);
    const why =
      kind === undefined
        ? rangeReason(touched, stored, options.magnitudes ?? new Map())
        : { reason: kind };
    if (why === undefined) half.add(node);
    else kept.push({ node: node.name, op: node.op, ...why });
  }
  if (half.size === 0) return { graph: source, changed: false, kept };
  return { graph: rewrite.run(half), changed: true, kept };
}

function isUnknown(
  node: Node,
  types: ReadonlyMap<string, TensorType>,
  touched: readonly string[],
): boolean {
  return !isKnownOp(node.op, node.domain) || touched.some((name) => !types.has(name));
}

function reasonOf(
  node: Node,
  types: ReadonlyMap<string, TensorType>,
  touched: readonly string[],
): string | undefined {
  if (subgraphsOf(node).length > 0) return 'its bodies read float32';
  if (!isKnownOp(node.op, node.domain)) return 'not an operator that Archwright knows';
  const unknown = touched.find((name) => !types.has(name));
  if (unknown !== undefined) return 'a value of unknown type';
  return float32Ops[node.op];
}

function rangeReason(
  touched: readonly string[],
  stored: ReadonlyMap<string, Initializer>,
  magnitudes: ReadonlyMap<string, number>,
): Pick<KeptNode, 'reason' | 'value'> | undefined {
  for (const name of touched) {
    const magnitude = magnitudeOf(stored.get(name)) ?? magnitudes.get(name) ?? 0;
    const value = { name, magnitude };
    if (magnitude > HALF_MAX) return { reason: 'a value beyond ±65504', value };
    if (stored.has(name) && magnitude > 0 && magnitude < HALF_MIN_NORMAL) {
      return { reason: 'a stored value below 6.1e-5, where float16 loses digits', value };
    }
  }
  return undefined;
}

/** Largest finite magnitude of a stored float32 tensor. */
function magnitudeOf(initializer: Initializer | undefined): number | undefined {
  if (initializer?.dtype !== 'float32' || initializer.data === undefined) return undefined;
  let largest = 0;
  for (const value of initializer.data as Float32Array) {
    const size = Math.abs(value);
    if (size > largest && size !== Number.POSITIVE_INFINITY) largest = size;
  }
  return largest;
}

/** Gives every float32 value a second form, and a Cast where one is read in the other form. */
class Rewrite {
  readonly #fresh: (hint: string) => string;
  readonly #initializers = new Map<string, Initializer>();
  /** Values whose name must stay float32: inputs, outputs, and what bodies read. */
  readonly #fixed: ReadonlySet<string>;
  /** Name of each value in the form it has, and in the other once that is made. */
  readonly #forms = { float16: new Map<string, string>(), float32: new Map<string, string>() };
  readonly #nodes: Node[] = [];

  constructor(
    private readonly graph: Graph,
    private readonly types: ReadonlyMap<string, TensorType>,
  ) {
    this.#fresh = freshNamer(graph);
    this.#fixed = new Set([
      ...graph.inputs.map(({ name }) => name),
      ...graph.outputs.map(({ name }) => name),
      ...graph.nodes.flatMap(capturedBy),
    ]);
    for (const one of graph.initializers) this.#initializers.set(one.name, one);
    for (const [name, { dtype }] of types)
      if (dtype === 'float32') this.#forms.float32.set(name, name);
  }

  isFloat(name: string): boolean {
    return this.types.get(name)?.dtype === 'float32';
  }

  run(half: ReadonlySet<Node>): Graph {
    const producedHalf = new Set([...half].flatMap(({ outputs }) => outputs));
    for (const name of producedHalf) {
      if (!this.isFloat(name)) continue;
      this.#forms.float32.delete(name);
      this.#forms.float16.set(name, this.#fixed.has(name) ? this.#fresh(`${name}.float16`) : name);
    }
    for (const node of this.graph.nodes) this.#append(node, half.has(node) ? 'float16' : 'float32');
    return withGraph(this.graph, {
      nodes: this.#nodes,
      initializers: this.#usedInitializers(),
    });
  }

  #append(node: Node, form: 'float16' | 'float32'): void {
    const read = (name: string) => (this.isFloat(name) ? this.#inForm(name, form) : name);
    const write = (name: string) => this.#forms[form].get(name) ?? name;
    this.#nodes.push({
      ...node,
      inputs: node.inputs.map(read),
      outputs: form === 'float16' ? node.outputs.map(write) : node.outputs,
      attributes: form === 'float16' ? halfAttributes(node) : node.attributes,
    });
    if (form === 'float32') return;
    for (const name of node.outputs) {
      if (this.isFloat(name) && this.#fixed.has(name)) this.#inForm(name, 'float32');
    }
  }

  /** The value in this form; made on first need. */
  #inForm(name: string, form: 'float16' | 'float32'): string {
    const known = this.#forms[form].get(name);
    if (known !== undefined) return known;
    const initializer = this.#initializers.get(name);
    const taken = form === 'float32' && this.#fixed.has(name);
    const other = taken ? name : this.#fresh(`${name}.${form}`);
    this.#forms[form].set(name, other);
    if (initializer?.data !== undefined) {
      const data = Uint16Array.from(initializer.data as Float32Array, encodeFloat16);
      this.#initializers.set(other, { ...initializer, name: other, dtype: 'float16', data });
      return other;
    }
    const source = this.#forms[form === 'float16' ? 'float32' : 'float16'].get(name) as string;
    this.#nodes.push({
      name: this.#fresh(`${name}.to-${form}`),
      op: 'Cast',
      domain: '',
      inputs: [source],
      outputs: [other],
      attributes: { to: { kind: 'int', value: elementCodes[form] } },
    });
    return other;
  }

  #usedInitializers(): Initializer[] {
    const read = new Set([
      ...this.#nodes.flatMap((node) => [...node.inputs, ...capturedBy(node)]),
      ...this.graph.outputs.map(({ name }) => name),
    ]);
    return [...this.#initializers.values()].filter(({ name }) => read.has(name));
  }
}

/** The tensor in an attribute (the value of ConstantOfShape: 0 when left out) in float16 too. */
function halfAttributes(node: Node): Node['attributes'] {
  if (node.op !== 'ConstantOfShape') return node.attributes;
  const { dims, data }: HostTensor = tensorOf(node, 'value') ?? {
    dtype: 'float32',
    dims: [1],
    data: new Float32Array(1),
  };
  const bits = Uint16Array.from(data as Float32Array, encodeFloat16);
  return { value: { kind: 'tensor', value: { dtype: 'float16', dims, data: bits } } };
}
