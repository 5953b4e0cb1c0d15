import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Attribute, type Graph, type Node, withGraph } from '../../src/ir/graph.js';
import { hashGraph } from '../../src/ir/hash.js';
import { sortNodes } from '../../src/ir/pass/sort-nodes.js';
import { problemsOf } from '../../src/ir/verify.js';
import { randomNet } from './random-net.js';

/** The graph with every value and node renamed. */
function renamed(graph: Graph, to: (name: string) => string): Graph {
  const rename = (name: string) => (name === '' ? '' : to(name));
  const named = <T extends { name: string }>(list: readonly T[]) =>
    list.map((item) => ({ ...item, name: rename(item.name) }));
  return withGraph(graph, {
    name: 'other',
    metadata: {},
    inputs: named(graph.inputs),
    outputs: named(graph.outputs),
    initializers: named(graph.initializers).toReversed(),
    nodes: graph.nodes.map((node, i) => ({
      ...node,
      name: `n${i}`,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    })),
  });
}

/** Another topological order: as late in the list as the readers allow. */
const reordered = (graph: Graph): Graph =>
  sortNodes(withGraph(graph, { nodes: graph.nodes.toReversed() })).graph;

const commutative = new Set(['Add', 'Mul', 'Max']);
const swapped = (graph: Graph): Graph =>
  withGraph(graph, {
    nodes: graph.nodes.map((node) =>
      commutative.has(node.op) ? { ...node, inputs: node.inputs.toReversed() } : node,
    ),
  });

describe('hashGraph on random graphs', () => {
  it('is the same after renaming, reordering and swapping commutative operands', () => {
    fc.assert(
      fc.property(randomNet, (graph) => {
        expect(problemsOf(graph)).toEqual([]);
        const hash = hashGraph(graph);
        expect(hash).toMatch(/^[0-9a-f]{64}$/);
        for (const same of [renamed(graph, (n) => `v_${n}`), reordered(graph), swapped(graph)]) {
          expect(problemsOf(same)).toEqual([]);
          expect(hashGraph(same)).toBe(hash);
        }
        const all = swapped(reordered(renamed(graph, (n) => [...n].reverse().join('~'))));
        expect(hashGraph(all)).toBe(hash);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('changes when a live node changes its operator', () => {
    const replacement: Record<string, string> = {
      Relu: 'Abs',
      Sigmoid: 'Tanh',
      Tanh: 'Sigmoid',
      Add: 'Sub',
      Sub: 'Add',
      Mul: 'Div',
    };
    fc.assert(
      fc.property(randomNet, (graph) => {
        const last = graph.nodes.at(-1) as Node;
        const op = replacement[last.op];
        fc.pre(op !== undefined && graph.outputs.some(({ name }) => name === last.outputs[0]));
        const nodes = graph.nodes.map((node) =>
          node === last ? { ...node, op: op as string } : node,
        );
        expect(hashGraph(withGraph(graph, { nodes }))).not.toBe(hashGraph(graph));
      }),
      { numRuns: 100, seed: 2 },
    );
  });
});

interface Variant {
  readonly attributes?: Record<string, number | number[] | string>;
  readonly channels?: number;
  readonly constant?: number;
  readonly input?: (string | number)[];
  readonly data?: boolean;
}

function net({ attributes = {}, channels = 8, constant = 2, input, data }: Variant = {}): Graph {
  const b = new GraphBuilder('net');
  const x = b.input('x', 'float32', input ?? ['N', 3, 8, 8]);
  const dims = [channels, 3, 3, 3];
  const w = b.initializer({
    name: 'w',
    role: 'weight',
    dtype: 'float32',
    dims,
    ...(data ? { data: new Float32Array(channels * 27).fill(7) } : {}),
  });
  const conv = b.op('Conv', [x, w], { pads: [1, 1, 1, 1], ...attributes });
  b.output(b.op('Mul', [conv, b.scalar(constant)]), 'y');
  return b.build();
}

describe('hashGraph', () => {
  const base = hashGraph(net());

  it.each<[string, Variant]>([
    ['an attribute', { attributes: { pads: [1, 1, 1, 1], dilations: [2, 2] } }],
    ['the size of a weight', { channels: 16 }],
    ['a constant', { constant: 3 }],
    ['the type of an input', { input: [4, 3, 8, 8] }],
  ])('depends on %s', (_, variant) => {
    expect(hashGraph(net(variant))).not.toBe(base);
  });

  it.each<[string, Variant]>([
    ['weight data', { data: true }],
    ['the name of a symbolic dimension', { input: ['batch', 3, 8, 8] }],
    ['attributes with their default value', { attributes: { group: 1, strides: [1, 1] } }],
    ['a kernel_shape that repeats the weight', { attributes: { kernel_shape: [3, 3] } }],
  ])('ignores %s', (_, variant) => {
    expect(hashGraph(net(variant))).toBe(base);
  });

  it('ignores what no output depends on', () => {
    const b = GraphBuilder.from(net());
    b.op('Relu', ['x']);
    b.weight('unused', [3]);
    const extended = withGraph(b.build(), { outputs: net().outputs });
    expect(hashGraph(extended)).toBe(base);
  });

  it('compares floats as the float32 that ONNX stores', () => {
    const norm = (epsilon: number): Graph => {
      const b = new GraphBuilder('norm');
      const x = b.input('x', 'float32', [2, 3]);
      b.output(b.op('LayerNormalization', [x, b.weight('g', [3])], { epsilon }), 'y');
      return b.build();
    };
    expect(hashGraph(norm(1e-5))).toBe(hashGraph(norm(Math.fround(1e-5))));
    expect(hashGraph(norm(1e-6))).not.toBe(hashGraph(norm(1e-5)));
  });

  it('tells one weight used twice from two weights', () => {
    const twice = (shared: boolean): string => {
      const b = new GraphBuilder('twice');
      const w = b.weight('w', [4, 4]);
      const h = b.op('MatMul', [b.input('x', 'float32', [4, 4]), w]);
      b.output(b.op('MatMul', [h, shared ? w : b.weight('w', [4, 4])]), 'y');
      return hashGraph(b.build());
    };
    expect(twice(true)).not.toBe(twice(false));
  });

  it('depends on the order of inputs, outputs and the operands of Sub', () => {
    const difference = (swap: boolean, outputs: readonly string[]): string => {
      const b = new GraphBuilder('difference');
      const [x, y] = [b.input('x', 'float32', [2]), b.input('y', 'float32', [2])];
      b.op('Sub', swap ? [y, x] : [x, y], {}, 'sub');
      b.op('Add', [x, y], {}, 'add');
      for (const name of outputs) b.output(name);
      return hashGraph(b.build());
    };
    const one = difference(false, ['sub', 'add']);
    expect(difference(true, ['sub', 'add'])).not.toBe(one);
    expect(difference(false, ['add', 'sub'])).not.toBe(one);
  });

  it('orders operands that only their other readers tell apart', () => {
    // a and b are alike but for Sub, which stands before or after.
    const build = (swap: boolean): string => {
      const b = new GraphBuilder('alike');
      const x = b.input('x', 'float32', [4, 4]);
      const left = b.op('MatMul', [x, b.weight('w', [4, 4])]);
      const right = b.op('MatMul', [x, b.weight('w', [4, 4])]);
      const sum = b.op('Add', swap ? [right, left] : [left, right]);
      b.output(b.op('Sub', [sum, left]), 'y');
      return hashGraph(b.build());
    };
    expect(build(true)).toBe(build(false));
  });

  it('breaks symmetric ties the same way everywhere', () => {
    const build = (swap: boolean): string => {
      const b = new GraphBuilder('symmetric');
      const x = b.input('x', 'float32', [4, 4]);
      const left = b.op('MatMul', [x, b.weight('w', [4, 4])]);
      const right = b.op('MatMul', [x, b.weight('w', [4, 4])]);
      const tanh = [b.op('Tanh', [left]), b.op('Tanh', [right])];
      const product = b.op('Mul', swap ? tanh.toReversed() : tanh);
      b.output(b.op('Concat', [b.op('Add', [left, right]), product], { axis: 0 }), 'y');
      return hashGraph(b.build());
    };
    expect(build(true)).toBe(build(false));
  });

  it('takes a Constant node for the constant it makes', () => {
    const build = (asNode: boolean): string => {
      const b = new GraphBuilder('constant');
      const value: Attribute = { kind: 'ints', value: [2, 2] };
      if (asNode) {
        const node = { name: 'c', op: 'Constant', domain: '', inputs: [], outputs: ['c'] };
        b.append({ ...node, attributes: { value_ints: value } });
      }
      const x = b.input('x', 'float32', [4]);
      b.output(b.op('Reshape', [x, asNode ? 'c' : b.ints([2, 2])]), 'y');
      return hashGraph(b.build());
    };
    expect(build(true)).toBe(build(false));
  });
});
