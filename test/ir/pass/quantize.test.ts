import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { type Graph, withGraph } from '../../../src/ir/graph.js';
import { insertQuantization } from '../../../src/ir/pass/quantize.js';
import type { ValueRange } from '../../../src/ir/pass/quantize-numbers.js';
import { planQuantization, rangesNeeded } from '../../../src/ir/pass/quantize-plan.js';
import { problemsOf, verify } from '../../../src/ir/verify.js';
import { Rng } from '../../../src/util/random.js';
import { interpret } from '../../reference/interpreter.js';
import { tensor } from '../../reference/tensor.js';
import { convNet, normals, optimizedOps, run, sqnrDb, weight } from './small-nets.js';

const dims = [4, 3, 8, 8];
const x = normals(new Rng('x'), 4 * 192);

/** Extremes of the values, from the reference. */
function observe(graph: Graph): Map<string, ValueRange> {
  const values = interpret(graph, { x: tensor(dims, x) });
  return new Map(
    rangesNeeded(planQuantization(graph)).map((name) => {
      const data = values.get(name)?.data ?? [];
      return [name, { min: Math.min(...data), max: Math.max(...data) }];
    }),
  );
}

function quantize(graph: Graph) {
  verify(graph);
  const result = insertQuantization(graph, observe(graph));
  expect(problemsOf(result.graph)).toEqual([]);
  expect(result.graph.outputs).toEqual(graph.outputs);
  return result;
}

describe('insertQuantization', () => {
  const graph = convNet(new Rng('quantize'));
  const { graph: quantized, quantized: names } = quantize(graph);
  const feeds = { x: new ort.Tensor('float32', x, dims) };

  it('quantises every node of a convolutional net, each value once', () => {
    expect(names.toSorted()).toEqual(
      graph.nodes
        .map(({ name }) => name)
        .filter((name) => name !== 'y.out')
        .toSorted(),
    );
    const quantizers = quantized.nodes.filter(({ op }) => op === 'QuantizeLinear');
    expect(new Set(quantizers.map(({ inputs }) => inputs[0])).size).toBe(quantizers.length);
    const weights = quantized.initializers.filter(({ dtype }) => dtype === 'int8');
    expect(weights.filter(({ dims: size }) => size.length > 1)).toHaveLength(6);
    expect(quantized.initializers.some(({ name }) => name === 'stem.w')).toBe(false);
  });

  it('is fused by ONNX Runtime into integer kernels, with no float convolution left', async () => {
    const ops = await optimizedOps(quantized);
    expect(ops).toMatchObject({ QLinearConv: 4, QLinearAdd: 1, QLinearConcat: 1, QGemm: 2 });
    for (const op of ['Conv', 'FusedConv', 'Gemm', 'Relu', 'Clip', 'Add', 'Concat']) {
      expect(ops[op], op).toBeUndefined();
    }
    expect(ops.QuantizeLinear).toBe(1);
  });

  it('computes what the formulas say: ONNX Runtime beside the float64 reference', async () => {
    const expected = interpret(quantized, { x: tensor(dims, x) }).get('y')?.data ?? [];
    const plain = (await run(quantized, feeds)).y?.data as Float32Array;
    // Float32 sums may fall on the other side of a tie.
    expect(sqnrDb(expected, plain)).toBeGreaterThan(45);
    const fused = (await run(quantized, feeds, 'all')).y?.data as Float32Array;
    expect(sqnrDb(expected, fused)).toBeGreaterThan(30);
  });

  it('is near the float model', async () => {
    const expected = (await run(graph, feeds)).y?.data as Float32Array;
    const received = (await run(quantized, feeds, 'all')).y?.data as Float32Array;
    expect(sqnrDb(expected, received)).toBeGreaterThan(25);
  });

  it('lets values that move only keep their scale, and leaves idle movers alone', () => {
    const b = new GraphBuilder('movers');
    const rng = new Rng('movers');
    const input = b.input('x', 'float32', dims);
    const conv = b.op('Conv', [input, weight(b, 'w', [4, 3, 1, 1], rng)], {}, 'conv');
    const moved = b.op('Transpose', [conv], { perm: [0, 2, 3, 1] }, 'moved');
    const idle = b.op('Transpose', [conv], { perm: [0, 3, 2, 1] }, 'idle');
    b.output(b.op('MatMul', [moved, weight(b, 'v', [4, 2], rng)], {}, 'product'));
    b.output(idle);
    const result = quantize(b.build());
    expect(result.quantized).toEqual(['conv', 'product', 'moved']);
    const parametersOf = (value: string) =>
      result.graph.nodes.find(({ outputs }) => outputs[0] === value)?.inputs.slice(1);
    expect(parametersOf('moved')).toEqual(parametersOf('conv'));
    expect(parametersOf('idle')).toEqual([]);
  });

  it('keeps an output of the graph that is quantised inside under its name', async () => {
    const b = new GraphBuilder('inner');
    const rng = new Rng('inner');
    const input = b.input('x', 'float32', dims);
    const first = b.op('Conv', [input, weight(b, 'w', [4, 3, 1, 1], rng)], {}, 'first');
    b.output(first);
    b.output(b.op('Conv', [first, weight(b, 'v', [2, 4, 1, 1], rng)], {}, 'second'));
    const float = b.build();
    const [expected, received] = [
      await run(float, feeds),
      await run(quantize(float).graph, feeds, 'all'),
    ];
    for (const name of ['first', 'second']) {
      const values = received[name]?.data as Float32Array;
      expect(sqnrDb(expected[name]?.data as Float32Array, values)).toBeGreaterThan(30);
    }
  });

  it('has nothing to do without stored weights', () => {
    const b = new GraphBuilder('none');
    b.output(b.op('Relu', [b.input('x', 'float32', dims)]), 'y');
    const float = b.build();
    expect(insertQuantization(float, new Map())).toEqual({
      graph: float,
      changed: false,
      quantized: [],
    });
  });

  it.each([
    [
      'an opset before 13',
      () => withGraph(graph, { opsets: { '': 12 } }),
      observe(graph),
      'expected opset 13 or newer to quantise, received 12',
    ],
    [
      'a quantised model',
      () => quantized,
      observe(graph),
      'expected a float model to quantise, received one with node',
    ],
    [
      'a missing range',
      () => graph,
      new Map(),
      'expected a finite range of value x, received none',
    ],
    [
      'a range that is not finite',
      () => graph,
      new Map([['x', { min: 0, max: Number.POSITIVE_INFINITY }]]),
      'expected a finite range of value x, received 0 to Infinity',
    ],
  ] as const)('refuses %s in one line', (_, make, ranges, message) => {
    expect(() => insertQuantization(make(), ranges as Map<string, ValueRange>)).toThrow(message);
  });
});
