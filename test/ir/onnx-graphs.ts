/**
 * Random graphs for round-trip tests: every element type, every kind of attribute, nested graphs,
 * unknown operators and domains, left-out inputs. They are well formed (each value assigned once,
 * before its use), but their operators make no sense: shapes and arities are arbitrary.
 */
import fc from 'fast-check';
import {
  type Attribute,
  type AttributeKind,
  type Dim,
  freezeGraph,
  type Graph,
  type Initializer,
  type InitializerRole,
  type Node,
  type ValueInfo,
} from '../../src/ir/graph.js';
import { opSchemas } from '../../src/ir/op-schema.js';
import { Rng } from '../../src/util/random.js';
import {
  createTensorData,
  type ElementType,
  elementBytes,
  elementCount,
  type HostTensor,
} from '../../src/util/tensor.js';

export interface RandomGraphOptions {
  /** Names with dots, slashes, quotes, spaces and other scripts. Default true. */
  readonly oddNames?: boolean;
  /** Weights and state without data. Default false. */
  readonly absentData?: boolean;
  /** NaN, infinities, subnormal floats, empty tensors and lists, left-out inputs. Default true. */
  readonly oddValues?: boolean;
  /** Element types of tensors. Default all. */
  readonly dtypes?: readonly ElementType[];
}

/** Graphs of up to 12 nodes; a failing one shrinks to fewer. */
export function graphs(options: RandomGraphOptions = {}): fc.Arbitrary<Graph> {
  return fc
    .record({ nodeCount: fc.nat(12), seed: fc.nat() })
    .map(({ nodeCount, seed }) =>
      freezeGraph(new Generator(new Rng(seed), options).graph(nodeCount)),
    );
}

const allTypes = Object.keys(elementBytes) as ElementType[];
const ops = Object.keys(opSchemas);
const attributeKinds: readonly AttributeKind[] = [
  'int',
  'float',
  'string',
  'ints',
  'floats',
  'strings',
  'tensor',
];
const oddTails = ['.weight', '/Conv 1', ':0', '"quoted"', 'back\\slash', ' Größe', '层', '#no', ''];

class Generator {
  #count = 0;

  constructor(
    readonly rng: Rng,
    readonly options: RandomGraphOptions,
  ) {}

  graph(nodeCount: number, depth = 0): Graph {
    const inputs = this.#list(3, () => this.#value());
    const initializers = this.#list(4, () => this.#initializer(depth));
    const visible = [...inputs, ...initializers].map(({ name }) => name);
    const nodes: Node[] = [];
    for (let i = 0; i < nodeCount; i++) {
      const node = this.#node(visible, depth);
      visible.push(...node.outputs.filter((output) => output !== ''));
      nodes.push(node);
    }
    const results = nodes.flatMap((node) => node.outputs).filter((output) => output !== '');
    return {
      name: depth === 0 ? this.#name('graph') : `nested_${this.#count++}`,
      opsets: { '': 17, archwright: 1 },
      inputs,
      outputs: results.slice(-2).map((name) => ({ ...this.#value(), name })),
      initializers,
      nodes,
      metadata: depth === 0 ? Object.fromEntries(this.#list(2, () => this.#pair())) : {},
    };
  }

  #node(visible: readonly string[], depth: number): Node {
    const { rng } = this;
    const first = this.#name('v');
    const kinds = [...attributeKinds, ...(depth < 2 ? (['graph'] as const) : [])];
    const optional = () => (this.#odd() && rng.integer(6) === 0 ? '' : this.#name('v'));
    const input = () => (this.#odd() && rng.integer(6) === 0 ? '' : rng.pick(visible));
    return {
      name: this.options.oddNames !== false && rng.integer(2) === 0 ? this.#name('node') : first,
      op: rng.integer(4) === 0 ? 'Unheard_of' : rng.pick(ops),
      domain: rng.pick(['', '', '', 'archwright', 'com.example.ops']),
      inputs: visible.length === 0 ? [] : this.#list(4, input),
      outputs: [first, ...this.#list(2, optional)],
      attributes: Object.fromEntries(
        this.#list(3, (i) => [`a${i}_${rng.integer(9)}`, this.#attribute(rng.pick(kinds), depth)]),
      ),
    };
  }

  #attribute(kind: AttributeKind, depth: number): Attribute {
    const text = () => this.#name('text ');
    switch (kind) {
      case 'int':
        return { kind, value: this.#int() };
      case 'float':
        return { kind, value: this.#float() };
      case 'string':
        return { kind, value: text() };
      case 'ints':
        return { kind, value: this.#filled(() => this.#int()) };
      case 'floats':
        return { kind, value: this.#filled(() => this.#float()) };
      case 'strings':
        return { kind, value: this.#filled(text) };
      case 'tensor':
        return { kind, value: this.#tensor() };
      case 'graph':
        return { kind, value: this.graph(this.rng.integer(3), depth + 1) };
    }
  }

  #initializer(depth: number): Initializer {
    const roles: readonly InitializerRole[] = ['weight', 'state', 'constant'];
    const role = depth === 0 ? this.rng.pick(roles) : 'constant';
    const { dtype, dims, data } = this.#tensor();
    const named = { name: this.#name('w'), role, dtype, dims };
    const absent = this.options.absentData === true && role !== 'constant';
    return absent && this.rng.integer(2) === 0 ? named : { ...named, data };
  }

  #value(): ValueInfo {
    const typed = { name: this.#name('x'), dtype: this.rng.pick(this.options.dtypes ?? allTypes) };
    if (this.rng.integer(6) === 0) return typed;
    return { ...typed, shape: this.#list(4, () => this.#dim()) };
  }

  #dim(): Dim {
    return this.rng.pick<Dim>([1, 3, 224, 'N', 'batch_size', '?']);
  }

  #tensor(): HostTensor {
    const dtype = this.rng.pick(this.options.dtypes ?? allTypes);
    const sizes = this.#odd() ? [0, 1, 2, 3] : [1, 2, 3];
    const dims = this.#list(3, () => this.rng.pick(sizes));
    const data = createTensorData(dtype, elementCount(dims));
    if (data instanceof Float32Array || data instanceof Float64Array) {
      for (let i = 0; i < data.length; i++) data[i] = this.#float();
    } else if (dtype === 'bool') {
      for (let i = 0; i < data.length; i++) data[i] = this.rng.integer(2);
    } else {
      const bytes = new Uint8Array(data.buffer);
      const bits = 8 * Math.min(1, elementBytes[dtype]);
      const offset = data instanceof Int8Array ? 2 ** (bits - 1) : 0;
      for (let i = 0; i < bytes.length; i++) bytes[i] = this.rng.integer(2 ** bits) - offset;
    }
    return { dtype, dims, data };
  }

  /** A float in the form that decoding gives it: few digits, or nothing finite. */
  #float(): number {
    if (!this.#odd() || this.rng.integer(4) > 0) {
      return Number((this.rng.normal() * 10 ** this.rng.integer(8)).toPrecision(6));
    }
    const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
    return this.rng.pick([nan, inf, -inf, -0, 0, 1e-40, 3.40282e38, -1e-7, 16777216]);
  }

  #int(): number {
    const extremes = [2 ** 63, -(2 ** 63), 2 ** 53 - 1, -1, 0, 1];
    return this.rng.integer(2) === 0 ? this.rng.integer(1000) - 500 : this.rng.pick(extremes);
  }

  #pair(): [string, string] {
    return [this.#name('key'), this.#name('value')];
  }

  #name(prefix: string): string {
    const odd = this.options.oddNames !== false && this.rng.integer(2) === 0;
    return `${prefix}${this.#count++}${odd ? this.rng.pick(oddTails) : ''}`;
  }

  #odd(): boolean {
    return this.options.oddValues !== false;
  }

  #filled<T>(create: () => T): T[] {
    const list = this.#list(4, create);
    return list.length === 0 && !this.#odd() ? [create()] : list;
  }

  #list<T>(most: number, create: (i: number) => T): T[] {
    return Array.from({ length: this.rng.integer(most + 1) }, (_, i) => create(i));
  }
}
