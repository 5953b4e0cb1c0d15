import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import type { Graph } from '../../../src/ir/graph.js';
import { inferTypes } from '../../../src/ir/infer.js';
import { toFloat16 } from '../../../src/ir/pass/float16.js';
import { problemsOf, verify } from '../../../src/ir/verify.js';
import { decodeFloat16, encodeFloat16 } from '../../../src/util/half.js';
import { Rng } from '../../../src/util/random.js';
import { convNet, normals, run, sqnrDb, weight } from './small-nets.js';

/** Legal before and after. */
function convert(graph: Graph, options: Parameters<typeof toFloat16>[1] = {}) {
  verify(graph);
  const result = toFloat16(graph, options);
  expect(problemsOf(result.graph)).toEqual([]);
  expect(result.graph.inputs).toEqual(graph.inputs);
  expect(result.graph.outputs).toEqual(graph.outputs);
  return result;
}

const opsOf = (graph: Graph) => graph.nodes.map(({ op }) => op);

describe('toFloat16', () => {
  it('gives nearly the same outputs with half the bytes, a Cast at each border', async () => {
    const graph = convNet(new Rng('half'));
    const { graph: half, kept, changed } = convert(graph);
    expect([changed, kept]).toEqual([true, []]);
    expect(opsOf(half).filter((op) => op === 'Cast')).toHaveLength(2);
    const floats = half.initializers.filter(({ dtype }) => dtype === 'float32');
    expect(floats).toEqual([]);
    const x = new ort.Tensor('float32', normals(new Rng('x'), 4 * 192), [4, 3, 8, 8]);
    const expected = (await run(graph, { x })).y;
    const received = (await run(half, { x })).y;
    const error = sqnrDb(expected?.data as Float32Array, received?.data as Float32Array);
    expect(error).toBeGreaterThan(50);
    expect(error).toBeLessThan(90); // not the float32 graph again
  });

  it('rounds every weight to the nearest binary16', () => {
    const graph = convNet(new Rng('half'));
    const before = graph.initializers.find(({ name }) => name === 'stem.w');
    const after = convert(graph).graph.initializers.find(({ name }) => name === 'stem.w.float16');
    expect(after?.dtype).toBe('float16');
    before?.data?.forEach((value, i) => {
      const half = decodeFloat16(Number(after?.data?.[i]));
      expect(Math.abs(half - Number(value))).toBeLessThanOrEqual(
        Math.abs(Number(value)) * 2 ** -11,
      );
    });
  });

  it('keeps in float32, with the reason, what float16 cannot hold', async () => {
    const b = new GraphBuilder('ranges');
    const x = b.input('x', 'float32', [2]);
    const scaled = b.op('Mul', [x, b.scalar(1e5)], {}, 'beyond');
    const tiny = b.op('Add', [scaled, b.scalar(1e-7)], {}, 'below');
    const large = b.op('Mul', [tiny, b.scalar(2)], {}, 'seen');
    b.output(b.op('Div', [large, b.scalar(100)], {}, 'last'), 'y');
    const graph = b.build();
    const { graph: half, kept } = convert(graph, { magnitudes: new Map([['seen', 2e5]]) });
    expect(kept.map(({ node }) => node)).toEqual(['beyond', 'below', 'seen', 'last']);
    expect(kept.map(({ value }) => value?.magnitude)).toEqual([1e5, Math.fround(1e-7), 2e5, 2e5]);
    expect(kept[0]?.reason).toBe('a value beyond ±65504');
    expect(kept[1]?.reason).toMatch(/^a stored value below 6.1e-5/);
    expect(kept[2]?.value?.name).toBe('seen');
    expect(opsOf(half)).toEqual([...opsOf(graph).slice(0, 4), 'Cast', 'Identity', 'Cast']);
    const feeds = { x: new ort.Tensor('float32', Float32Array.of(0.5, -1), [2]) };
    expect(Array.from((await run(half, feeds)).y?.data as Float32Array)).toEqual([1000, -2000]);
  });

  it('keeps operators that need the digits, and those it is asked to', () => {
    const b = new GraphBuilder('ops');
    const x = b.input('x', 'float32', ['N', 4]);
    const soft = b.op('Softmax', [b.op('Relu', [x], {}, 'first')], {}, 'soft');
    b.output(b.op('Relu', [b.op('Tanh', [soft], {}, 'asked')], {}, 'y'));
    const { graph, kept } = convert(b.build(), { keep: ['asked'] });
    expect(kept).toEqual([
      { node: 'soft', op: 'Softmax', reason: 'sums of many terms lose digits in float16' },
      { node: 'asked', op: 'Tanh', reason: 'asked for' },
    ]);
    const types = inferTypes(graph);
    expect(types.get('first')?.dtype).toBe('float16');
    expect(types.get('soft')?.dtype).toBe('float32');
    // One Cast into the two kept nodes, none between them.
    expect(opsOf(graph)).toEqual([
      'Cast',
      'Relu',
      'Cast',
      'Softmax',
      'Tanh',
      'Cast',
      'Relu',
      'Cast',
    ]);
  });

  it('stores a tensor in both forms where both are read, and an output that is read inside once', async () => {
    const rng = new Rng('shared');
    const b = new GraphBuilder('shared');
    const x = b.input('x', 'float32', [2, 3]);
    const w = weight(b, 'w', [2, 3], rng);
    const sum = b.op('Add', [x, w], {}, 'sum');
    b.output(sum);
    b.output(b.op('Mul', [sum, b.op('Pow', [w, b.scalar(2)])], {}, 'product'));
    const graph = b.build();
    const { graph: half } = convert(graph);
    expect(half.initializers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['w', 'w.float16']),
    );
    const feeds = { x: new ort.Tensor('float32', normals(rng, 6), [2, 3]) };
    const [expected, received] = [await run(graph, feeds), await run(half, feeds)];
    for (const name of ['sum', 'product']) {
      const values = received[name]?.data as Float32Array;
      expect(sqnrDb(expected[name]?.data as Float32Array, values)).toBeGreaterThan(50);
    }
  });

  it('gives bodies the float32 that they read, and fills shapes with float16', async () => {
    const b = new GraphBuilder('bodies');
    const x = b.input('x', 'float32', [2]);
    const flag = b.input('flag', 'bool', []);
    const zeros = b.op('ConstantOfShape', [b.ints([2])]);
    const y = b.op('Add', [b.op('Relu', [x], {}, 'positive'), zeros], {}, 'outer');
    const body = (op: string) => ({
      kind: 'graph' as const,
      value: {
        name: op,
        opsets: { '': 17 },
        inputs: [],
        initializers: [],
        outputs: [{ name: `${op}.out`, dtype: 'float32' as const }],
        nodes: [{ name: op, op, domain: '', inputs: [y], outputs: [`${op}.out`], attributes: {} }],
        metadata: {},
      },
    });
    b.append({
      name: 'if',
      op: 'If',
      domain: '',
      inputs: [flag],
      outputs: ['z'],
      attributes: { then_branch: body('Neg'), else_branch: body('Abs') },
    });
    const graph: Graph = { ...b.build(), outputs: [{ name: 'z', dtype: 'float32', shape: [2] }] };
    const { graph: half, kept } = convert(graph);
    expect(kept.map(({ op }) => op)).toEqual(['If']);
    const fill = half.nodes.find(({ op }) => op === 'ConstantOfShape')?.attributes.value;
    expect(fill).toMatchObject({
      value: { dtype: 'float16', data: Uint16Array.of(encodeFloat16(0)) },
    });
    const feeds = {
      x: new ort.Tensor('float32', Float32Array.of(3, -4), [2]),
      flag: new ort.Tensor('bool', Uint8Array.of(1), []),
    };
    expect(Array.from((await run(half, feeds)).z?.data as Float32Array)).toEqual([-3, -0]);
  });

  it('leaves a graph without floats as it is', () => {
    const b = new GraphBuilder('ints');
    b.output(b.op('Add', [b.input('x', 'int64', [2]), b.ints([1, 2])]), 'y');
    const graph = b.build();
    expect(toFloat16(graph)).toEqual({ graph, changed: false, kept: [] });
  });
});
