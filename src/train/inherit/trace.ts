/** How each operator hands channels on: the rules behind `Channels`. */
import { intOf, intsOf } from '../../ir/attributes.js';
import type { Dim, Graph, Node } from '../../ir/graph.js';
import { inferTypes } from '../../ir/infer.js';
import { elementCount } from '../../util/tensor.js';
import { type AxisLabel, Channels, type Labels } from './channels.js';

/** Operators of two and more operands that work element by element, with broadcasting. */
export const BROADCASTING: ReadonlySet<string> = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Pow',
  'Max',
  'Min',
  'PRelu',
  'Sum',
  'Mean',
]);
/** Operators over the positions of a feature map, channel by channel. */
export const POOLING: ReadonlySet<string> = new Set([
  'MaxPool',
  'AveragePool',
  'GlobalAveragePool',
  'GlobalMaxPool',
]);

/** Labels of every value and weight of a graph. */
export function traceChannels(graph: Graph): Channels {
  const trace = new Trace(graph);
  for (const { name, shape } of graph.inputs) {
    trace.channels.assign(name, trace.fresh(name, shape ?? []));
  }
  for (const node of graph.nodes) trace.node(node);
  return trace.channels;
}

/** What a grouped convolution is: ordinary, one filter for each channel, or something between. */
export function convKind(node: Node, dims: readonly number[]): 'dense' | 'depthwise' | 'grouped' {
  const groups = intOf(node, 'group', 1);
  if (groups === 1) return 'dense';
  return dims[0] === groups && dims[1] === 1 ? 'depthwise' : 'grouped';
}

class Trace {
  readonly channels = new Channels();
  readonly #shapes: ReadonlyMap<string, { readonly shape?: readonly Dim[] }>;
  readonly #dims: ReadonlyMap<string, readonly number[]>;

  constructor(graph: Graph) {
    this.#shapes = inferTypes(graph);
    this.#dims = new Map(graph.initializers.map(({ name, dims }) => [name, dims]));
  }

  /** A group of its own for each axis of fixed size. */
  fresh(origin: string, shape: readonly Dim[]): Labels {
    return shape.map((dim) =>
      typeof dim === 'number' ? this.channels.create(origin, dim) : undefined,
    );
  }

  node(node: Node): void {
    const [x = '', w = ''] = node.inputs;
    const [y = ''] = node.outputs;
    const labels = this.#outputLabels(node, this.channels.of(x), this.#dims.get(w));
    this.channels.assign(y, labels ?? this.fresh(y, this.#shape(y)));
    for (const other of node.outputs.slice(1)) {
      if (other !== '') this.channels.assign(other, this.fresh(other, this.#shape(other)));
    }
  }

  /** Labels of the first output, those of the weights assigned; `undefined` where no rule knows. */
  #outputLabels(node: Node, x: Labels, dims: readonly number[] | undefined): Labels | undefined {
    switch (node.op) {
      case 'Conv':
        return dims && this.#conv(node, x, dims);
      case 'Gemm':
        if (intOf(node, 'transA', 0) !== 0) return undefined;
        return dims && this.#linear(node, x, dims, intOf(node, 'transB', 0) !== 0);
      case 'MatMul':
        return dims?.length === 2 ? this.#linear(node, x, dims, false) : undefined;
      case 'BatchNormalization':
      case 'InstanceNormalization':
        for (const name of node.inputs.slice(1)) this.#weight(name, [x[1]]);
        return x;
      case 'LayerNormalization': {
        const axis = intOf(node, 'axis', -1);
        for (const name of node.inputs.slice(1)) this.#weight(name, x.slice(axis));
        return x;
      }
      case 'Transpose':
        return (intsOf(node, 'perm') ?? x.map((_, i) => x.length - 1 - i)).map((axis) => x[axis]);
      case 'Flatten':
        return this.#flatten(node, x);
      case 'Concat':
        return this.#concat(node);
    }
    if (POOLING.has(node.op)) return x.map((label, axis) => (axis < 2 ? label : undefined));
    if (BROADCASTING.has(node.op)) return this.#broadcast(node);
    const shape = this.#shape(node.outputs[0] ?? '');
    const same = shape.length > 0 && shape.join() === this.#shape(node.inputs[0] ?? '').join();
    return same ? x : undefined;
  }

  #conv(node: Node, x: Labels, dims: readonly number[]): Labels {
    const [, weight = '', bias = ''] = node.inputs;
    const kind = convKind(node, dims);
    const kernel = dims.slice(2).map(() => undefined);
    const out = kind === 'depthwise' ? x[1] : this.#made(node, dims[0] as number);
    if (kind === 'dense') this.#weight(weight, [out, x[1], ...kernel], 1);
    else this.#weight(weight, [out, undefined, ...kernel]);
    this.#weight(bias, [out]);
    return [x[0], out, ...kernel];
  }

  #linear(node: Node, x: Labels, dims: readonly number[], transposed: boolean): Labels {
    const [, weight = '', bias = ''] = node.inputs;
    const out = this.#made(node, dims[transposed ? 0 : 1] as number);
    const from = x.at(-1);
    this.#weight(weight, transposed ? [out, from] : [from, out], transposed ? 1 : 0);
    const rank = this.#dims.get(bias)?.length ?? 0;
    this.#weight(
      bias,
      Array.from({ length: rank }, (_, i) => (i === rank - 1 ? out : undefined)),
    );
    return [...x.slice(0, -1), out];
  }

  #flatten(node: Node, x: Labels): Labels | undefined {
    const shape = this.#shape(node.inputs[0] ?? '');
    const rest = shape.slice(2);
    if (intOf(node, 'axis', 1) !== 1 || x[1] === undefined) return undefined;
    if (!rest.every((dim) => typeof dim === 'number')) return undefined;
    const inner = elementCount(rest as readonly number[]);
    return [x[0], x[1].map((segment) => ({ ...segment, inner: segment.inner * inner }))];
  }

  #concat(node: Node): Labels | undefined {
    const parts = node.inputs.map((name) => this.channels.of(name));
    const rank = parts[0]?.length ?? 0;
    const axis = (intOf(node, 'axis', 0) + rank) % rank;
    if (parts.some((part) => part[axis] === undefined)) return undefined;
    return Array.from({ length: rank }, (_, i): AxisLabel => {
      if (i === axis) return parts.flatMap((part) => part[axis] ?? []);
      return parts.map((part) => part[i]).reduce((a, b) => this.channels.join(a, b));
    });
  }

  #broadcast(node: Node): Labels {
    const shape = this.#shape(node.outputs[0] ?? '');
    const result = shape.map((dim, axis) => {
      if (dim === 1) return undefined;
      const sides = node.inputs.map((name) => {
        const at = axis - shape.length + this.#shape(name).length;
        return this.#shape(name)[at] === dim ? this.channels.of(name)[at] : undefined;
      });
      return sides.reduce((a, b) => this.channels.join(a, b), undefined);
    });
    for (const name of node.inputs) {
      const dims = this.#dims.get(name);
      if (dims === undefined) continue;
      const aligned = dims.map((dim, i) => {
        const axis = i + shape.length - dims.length;
        return dim === shape[axis] ? result[axis] : undefined;
      });
      this.channels.assign(name, aligned);
    }
    return result;
  }

  #made({ outputs: [y = ''] }: Node, size: number): AxisLabel {
    return this.channels.create(y, size);
  }

  #weight(name: string, labels: Labels, summed?: number): void {
    if (this.#dims.has(name)) this.channels.assign(name, labels, summed);
  }

  #shape(value: string): readonly Dim[] {
    return this.#shapes.get(value)?.shape ?? [];
  }
}
