/** Graphs of old operator sets and their translations, side by side in ONNX Runtime. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { subgraphsOf } from '../../../src/ir/attributes.js';
import type { Attribute, Graph, Node } from '../../../src/ir/graph.js';
import { upgradeOpset } from '../../../src/ir/pass/upgrade-opset.js';
import { problemsOf } from '../../../src/ir/verify.js';
import { Rng } from '../../../src/util/random.js';
import { graphOf } from '../control-graphs.js';
import { normals, run } from './small-nets.js';

type Plain = number | string | readonly number[];

function attribute(value: Plain, isFloat: boolean): Attribute {
  if (typeof value === 'string') return { kind: 'string', value };
  if (typeof value === 'number') return { kind: isFloat ? 'float' : 'int', value };
  return { kind: isFloat ? 'floats' : 'ints', value };
}

const floats = new Set(['min', 'max', 'value', 'ratio', 'scales']);

/** One node over x [2,3,4,6], as an old file has it. */
function oldGraph(
  opset: number,
  op: string,
  attributes: Readonly<Record<string, Plain>>,
  { outputs = 1, scales }: { outputs?: number; scales?: readonly number[] } = {},
): Graph {
  const names = Array.from({ length: outputs }, (_, i) => `y${i}`);
  const node: Node = {
    name: 'n',
    op,
    domain: '',
    inputs: scales === undefined ? ['x'] : ['x', 'scales'],
    outputs: names,
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key, attribute(value, floats.has(key))]),
    ),
  };
  return {
    name: 'old',
    opsets: { '': opset },
    inputs: [{ name: 'x', dtype: 'float32', shape: [2, 3, 4, 6] }],
    outputs: names.map((name) => ({ name, dtype: 'float32' })),
    initializers:
      scales === undefined
        ? []
        : [
            {
              name: 'scales',
              role: 'constant',
              dtype: 'float32',
              dims: [scales.length],
              data: Float32Array.from(scales),
            },
          ],
    nodes: [node],
    metadata: {},
  };
}

const cases: readonly (readonly [string, Graph])[] = [
  ['Clip', oldGraph(9, 'Clip', { min: -0.5, max: 0.25 })],
  ['Clip with one end', oldGraph(9, 'Clip', { max: 0 })],
  ['Pad', oldGraph(9, 'Pad', { pads: [0, 0, 1, 2, 0, 0, 3, 0], value: 1.5 })],
  ['Pad that reflects', oldGraph(9, 'Pad', { mode: 'reflect', pads: [0, 0, 1, 1, 0, 0, 1, 1] })],
  ['Slice', oldGraph(9, 'Slice', { starts: [1, -2], ends: [2 ** 63, 2 ** 63], axes: [1, 3] })],
  ['Split', oldGraph(11, 'Split', { axis: 3, split: [1, 3, 2] }, { outputs: 3 })],
  ['ReduceSum', oldGraph(11, 'ReduceSum', { axes: [1, -1], keepdims: 0 })],
  ['Unsqueeze', oldGraph(11, 'Unsqueeze', { axes: [0, 5] })],
  ['Softmax over all that follows', oldGraph(9, 'Softmax', {})],
  ['Softmax over the last axis', oldGraph(9, 'Softmax', { axis: 3 })],
  ['LogSoftmax from the middle', oldGraph(12, 'LogSoftmax', { axis: 2 })],
  ['Dropout', oldGraph(9, 'Dropout', { ratio: 0.5 })],
  ['Upsample', oldGraph(9, 'Upsample', { mode: 'nearest' }, { scales: [1, 1, 2, 3] })],
  ['Upsample, linear', oldGraph(9, 'Upsample', { mode: 'linear' }, { scales: [1, 1, 2, 2] })],
  ['Upsample before 9', oldGraph(7, 'Upsample', { mode: 'nearest', scales: [1, 1, 2, 2] })],
  ['Resize of 10', oldGraph(10, 'Resize', { mode: 'nearest' }, { scales: [1, 1, 1.5, 0.5] })],
];

describe('upgradeOpset', () => {
  it.each(cases)('translates %s to opset 13, with the same outputs', async (_, graph) => {
    expect(problemsOf(graph)).toEqual([]);
    const { graph: upgraded, changed } = upgradeOpset(graph);
    expect([changed, upgraded.opsets]).toEqual([true, { '': 13 }]);
    expect(problemsOf(upgraded)).toEqual([]);
    const feeds = { x: new ort.Tensor('float32', normals(new Rng('old'), 144), [2, 3, 4, 6]) };
    const [expected, received] = [await run(graph, feeds), await run(upgraded, feeds)];
    for (const { name } of graph.outputs) {
      expect(received[name]?.dims).toEqual(expected[name]?.dims);
      const values = expected[name]?.data as Float32Array;
      values.forEach((value, i) => {
        expect(Number(received[name]?.data[i])).toBeCloseTo(value, 5);
      });
    }
  });

  it.each([0, 1])('translates the branches of an If, condition %i', async (condition) => {
    const graph = graphOf(
      `branches (float[2, 3] x, bool c) => (float[] y) {
        y = If (c) <
          then_branch = t () => (float[] p) {
            a = Clip <min = -0.5, max = 0.25> (x)
            p = Softmax <axis = 0> (a)
          },
          else_branch = e () => (float[] q) {
            d, mask = Dropout <ratio = 0.5> (x)
            q = Slice <starts = [-9], ends = [9], axes = [1]> (d)
          }
        >
      }`,
      9,
    );
    const { graph: upgraded } = upgradeOpset(graph);
    expect(problemsOf(upgraded)).toEqual([]);
    const ops = upgraded.nodes.flatMap(subgraphsOf).map(({ nodes }) => nodes.map(({ op }) => op));
    expect(ops).toEqual([
      ['Identity', 'Slice'],
      ['Clip', 'Shape', 'Flatten', 'Softmax', 'Reshape'],
    ]);
    const feeds = {
      x: new ort.Tensor('float32', normals(new Rng('branches'), 6), [2, 3]),
      c: new ort.Tensor('bool', Uint8Array.of(condition), []),
    };
    const [expected, received] = [await run(graph, feeds), await run(upgraded, feeds)];
    expect(received.y?.dims).toEqual(expected.y?.dims);
    expect(received.y?.data).toEqual(expected.y?.data);
  });

  it('leaves a newer graph as it is', () => {
    const graph = oldGraph(13, 'Relu', {});
    expect(upgradeOpset(graph)).toEqual({ graph, changed: false });
  });

  it.each([
    ['an opset before 7', oldGraph(6, 'Relu', {}), 'received an opset before 7'],
    ['an operator that is not known', oldGraph(9, 'Mystery', {}), 'received node n (Mystery)'],
    [
      'a mask that is read',
      oldGraph(9, 'Dropout', {}, { outputs: 2 }),
      'expected a mask that nobody reads',
    ],
    [
      'a Scan with a batch axis',
      graphOf(
        `old (float[B, 3] h0, float[B, 7, 3] u) => (float[] h) {
          h = Scan ("", h0, u) <num_scan_inputs = 1, body = step (float[3] s, float[3] v)
            => (float[3] n) { n = Add(s, v) }>
        }`,
        8,
      ),
      'received node h (Scan) with a batch axis',
    ],
    ['spatial 0', oldGraph(7, 'BatchNormalization', { spatial: 0 }), 'received spatial 0'],
  ])('refuses %s in one line', (_, graph, message) => {
    expect(() => upgradeOpset(graph)).toThrow(message);
  });
});
