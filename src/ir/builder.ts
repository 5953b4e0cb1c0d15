/**
 * Builds a Graph node by node. Values are referred to by name; types are inferred as nodes are
 * added, so a mistake is reported at the node that makes it.
 */
import { InternalError } from '../errors.js';
import { encodeBfloat16, encodeFloat16 } from '../util/half.js';
import {
  createTensorData,
  type ElementType,
  elementCount,
  type HostTensor,
  type TensorData,
} from '../util/tensor.js';
import { type AttributeValue, createAttributes } from './attributes.js';
import {
  DEFAULT_OPSET,
  type Dim,
  freezeGraph,
  type Graph,
  type Initializer,
  type InitializerRole,
  type Node,
  type Shape,
  type TensorType,
  type ValueInfo,
} from './graph.js';
import { TypeScope } from './infer.js';
import { domainOf, type OpName } from './op-schema.js';

/** How the types that JavaScript has no array of store a number. */
const encoders: Partial<Record<ElementType, (value: number) => number>> = {
  float16: encodeFloat16,
  bfloat16: encodeBfloat16,
};

export interface BuilderOptions {
  /** Version of ONNX's own operator set. */
  readonly opset?: number;
  /** Versions of further operator sets, by domain. */
  readonly domains?: Readonly<Record<string, number>>;
}

export class GraphBuilder {
  readonly #name: string;
  readonly #scope: TypeScope;
  readonly #inputs: ValueInfo[] = [];
  readonly #outputs: ValueInfo[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #nodes: Node[] = [];
  readonly #taken = new Set<string>();
  readonly #constants = new Map<string, string>();
  readonly #counters = new Map<string, number>();

  constructor(name: string, options: BuilderOptions = {}) {
    this.#name = name;
    this.#scope = new TypeScope({ ...options.domains, '': options.opset ?? DEFAULT_OPSET });
  }

  /** A builder that begins with everything a graph holds, its outputs excepted. */
  static from(graph: Graph, name = graph.name): GraphBuilder {
    const { '': opset = DEFAULT_OPSET, ...domains } = graph.opsets;
    const builder = new GraphBuilder(name, { opset, domains });
    for (const input of graph.inputs) builder.input(input.name, input.dtype, input.shape);
    for (const initializer of graph.initializers) builder.initializer(initializer);
    for (const node of graph.nodes) builder.append(node);
    return builder;
  }

  /** Declares an input of the graph; without a shape, not even its rank is known. */
  input(name: string, dtype: ElementType, shape?: Shape): string {
    this.#claim(name);
    const type: TensorType = shape === undefined ? { dtype } : { dtype, shape };
    this.#inputs.push({ name, ...type });
    this.#scope.types.set(name, type);
    return name;
  }

  /** Declares a trained tensor without data; the evaluator draws it. */
  weight(name: string, dims: readonly number[], role: InitializerRole = 'weight'): string {
    return this.initializer({ name: this.fresh(name), role, dtype: 'float32', dims });
  }

  /** Adds an initializer under its own name. */
  initializer(initializer: Initializer): string {
    this.#claim(initializer.name);
    this.#initializers.set(initializer.name, initializer);
    this.#scope.addInitializer(initializer);
    return initializer.name;
  }

  /** A constant tensor; equal constants are stored once. */
  constant(tensor: HostTensor, hint = 'const'): string {
    const key = `${tensor.dtype}[${tensor.dims}]${tensor.data.join(',')}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.initializer({ ...tensor, name: this.fresh(hint), role: 'constant' });
    this.#constants.set(key, name);
    return name;
  }

  /** A constant of rank 0. */
  scalar(value: number, dtype: ElementType = 'float32'): string {
    return this.tensor([], [value], dtype, 'scalar');
  }

  /** A constant from numbers, row-major. */
  tensor(
    dims: readonly number[],
    values: readonly number[],
    dtype: ElementType = 'float32',
    hint?: string,
  ): string {
    const data = createTensorData(dtype, values.length);
    const encode = encoders[dtype];
    values.forEach((value, i) => {
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(value);
      else data[i] = encode === undefined ? value : encode(value);
    });
    return this.constant({ dtype, dims, data }, hint);
  }

  /** A constant int64 list, such as the target of a Reshape. */
  ints(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.constant({ dtype: 'int64', dims: [values.length], data }, 'ints');
  }

  /** Adds a node and returns its first output. */
  op(
    op: OpName,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    name: string = op.toLowerCase(),
  ): string {
    return this.ops(op, inputs, attributes, 1, name)[0] as string;
  }

  /** Adds a node with several outputs. */
  ops(
    op: OpName,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputCount: number,
    name: string = op.toLowerCase(),
  ): string[] {
    const node = this.create(op, inputs, attributes, outputCount, name);
    this.append(node);
    return [...node.outputs];
  }

  /** A node with names that are free now, not yet added. */
  create(
    op: OpName,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputCount: number,
    name: string = op.toLowerCase(),
  ): Node {
    const nodeName = this.fresh(name);
    return {
      name: nodeName,
      op,
      domain: domainOf(op),
      inputs,
      outputs: Array.from({ length: outputCount }, (_, i) =>
        i === 0 ? nodeName : this.fresh(`${nodeName}.${i}`),
      ),
      attributes: createAttributes(op, attributes),
    };
  }

  /** Adds a node as it is, with the names it has. */
  append(node: Node): void {
    for (const input of node.inputs) {
      if (input !== '' && !this.#taken.has(input)) {
        throw new InternalError(`node ${node.name} (${node.op}): input ${input} is not defined`);
      }
    }
    for (const output of node.outputs) if (output !== '') this.#claim(output);
    this.#scope.addNode(node);
    this.#nodes.push(node);
  }

  /** Declares `value` an output of the graph, under `name` (an Identity is added when they differ). */
  output(value: string, name: string = value): void {
    let source = value;
    if (name !== value) {
      this.append({
        name: `${name}.out`,
        op: 'Identity',
        domain: '',
        inputs: [value],
        outputs: [name],
        attributes: {},
      });
      source = name;
    }
    this.#outputs.push({ name: source, ...this.typeOf(source) });
  }

  /** Version of ONNX's own operator set. */
  get opset(): number {
    return this.#scope.opsets[''] ?? DEFAULT_OPSET;
  }

  /** Whether the graph imports the operators of `domain`. */
  imports(domain: string): boolean {
    return Object.hasOwn(this.#scope.opsets, domain);
  }

  /** Elements of a constant (initializer or Constant node), or undefined where `value` is none. */
  constantOf(value: string): TensorData | undefined {
    return this.#scope.constantOf(value);
  }

  /** Contents of a small integer tensor as far as they follow from the graph, row-major. */
  contentsOf(value: string): readonly Dim[] | undefined {
    return this.#scope.contents.get(value);
  }

  /** Type of a value; an error when it is unknown. */
  typeOf(value: string): TensorType {
    const type = this.#scope.types.get(value);
    if (type === undefined) throw new InternalError(`value ${value} has no known type`);
    return type;
  }

  /** Shape of a value; an error when even its rank is unknown. */
  shapeOf(value: string): readonly Dim[] {
    const { shape } = this.typeOf(value);
    if (shape === undefined) throw new InternalError(`value ${value} has no known shape`);
    return shape;
  }

  /** Fixed dimensions of a value; an error when one is symbolic. */
  dimsOf(value: string): readonly number[] {
    return this.shapeOf(value).map((dim) => {
      if (typeof dim === 'number') return dim;
      throw new InternalError(`value ${value}: dimension ${dim} expected a fixed size`);
    });
  }

  /** Number of elements of a value with fixed dimensions. */
  sizeOf(value: string): number {
    return elementCount(this.dimsOf(value));
  }

  /** Number of nodes so far. */
  get nodeCount(): number {
    return this.#nodes.length;
  }

  /** A name that is not in use: the hint itself, or the hint with the next number. */
  fresh(hint: string): string {
    if (!this.#taken.has(hint)) return hint;
    let number = this.#counters.get(hint) ?? 2;
    while (this.#taken.has(`${hint}_${number}`)) number++;
    this.#counters.set(hint, number + 1);
    return `${hint}_${number}`;
  }

  /** Whether the name is in use. */
  has(name: string): boolean {
    return this.#taken.has(name);
  }

  /** The finished graph. */
  build(metadata: Readonly<Record<string, string>> = {}): Graph {
    return freezeGraph({
      name: this.#name,
      opsets: this.#scope.opsets,
      inputs: this.#inputs,
      outputs: this.#outputs,
      initializers: [...this.#initializers.values()],
      nodes: this.#nodes,
      metadata,
    });
  }

  #claim(name: string): void {
    if (this.#taken.has(name)) throw new InternalError(`name ${name} is defined twice`);
    this.#taken.add(name);
  }
}
