/** Foreign models made ready to be trained: what is trained, frozen, replaced, and what stays theirs. */
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { freezeGraph, type Graph, withGraph } from '../../src/ir/graph.js';
import { inferTypes } from '../../src/ir/infer.js';
import { freeBatch } from '../../src/ir/pass/free-batch.js';
import { problemsOf } from '../../src/ir/verify.js';
import { type AdoptOptions, adoptModel } from '../../src/train/adopt.js';
import { drawWeights } from '../../src/train/initialize.js';
import { resolveRecipe } from '../../src/train/recipe.js';
import { createTrainingStep } from '../../src/train/step.js';
import { withTrainableRoles } from '../../src/train/trainable.js';
import { Rng } from '../../src/util/random.js';
import { interpret } from '../reference/interpreter.js';
import { tensor } from '../reference/tensor.js';

const plain: AdoptOptions = { loss: 'cross-entropy', freeze: [], scratch: false };

const rolesOf = (graph: Graph) =>
  Object.fromEntries(graph.initializers.map(({ name, role }) => [name, role]));

const constant = (b: GraphBuilder, name: string, dims: readonly number[], values?: number[]) =>
  b.initializer({
    name,
    role: 'constant',
    dtype: 'float32',
    dims,
    data: Float32Array.from(
      { length: dims.reduce((x, y) => x * y, 1) },
      (_, i) => values?.[i] ?? Math.sin(i + 1),
    ),
  });

describe('what is trained in a file that does not say', () => {
  test('parameters of operators, through changes of layout; masks and single numbers stay', () => {
    const b = new GraphBuilder('roles');
    b.input('tokens', 'int64', ['N', 3]);
    b.input('image', 'float32', ['N', 3, 4]);
    const embedded = b.op('Gather', [constant(b, 'embedding', [5, 4]), 'tokens']);
    const placed = b.op('Add', [embedded, constant(b, 'positions', [3, 4])]);
    const scaled = b.op('Mul', [placed, constant(b, 'half', [], [0.5])]);
    const masked = b.op('Add', [scaled, constant(b, 'mask', [4], [0, -1e9, 0, 0])]);
    const kept = b.op('Mul', [masked, constant(b, 'lower', [4], [1, 1, 0, 1])]);
    const pixels = b.op('Mul', ['image', constant(b, 'deviation', [4])]);
    const table = b.op('Reshape', [constant(b, 'folded', [2, 2, 6]), b.ints([4, 6])]);
    const sum = b.op('Add', [kept, pixels]);
    b.output(b.op('PRelu', [b.op('MatMul', [sum, table]), constant(b, 'slope', [6])]), 'y');
    const roles = rolesOf(withTrainableRoles(b.build()));
    expect(roles).toMatchObject({
      embedding: 'weight',
      positions: 'weight',
      folded: 'weight',
      slope: 'weight',
      half: 'constant',
      mask: 'constant',
      lower: 'constant',
      deviation: 'constant',
    });
  });
});

/** One image a run: conv – norm – relu – reshape – matmul – add – softmax, and a second output. */
function createModel(): Graph {
  const b = new GraphBuilder('theirs');
  b.input('x', 'float32', [1, 2, 4, 4]);
  const kernel = b.weight('encoder/kernel', [3, 2, 3, 3]);
  let x = b.op('Conv', ['x', kernel], { kernel_shape: [3, 3] }, '/encoder/conv/Conv');
  const norm = ['scale', 'bias'].map((name) => b.weight(`n.${name}`, [3]));
  const states = ['mean', 'var'].map((name) => b.weight(`n.${name}`, [3], 'state'));
  x = b.op('BatchNormalization', [x, ...norm, ...states], {}, 'features');
  const flat = b.op('Reshape', [b.op('Relu', [x]), b.ints([1, 12])]);
  const logits = b.op('MatMul', [flat, b.weight('w', [12, 5])], {}, 'last');
  const biased = b.op('Add', [logits, b.weight('b', [5])]);
  b.output(b.op('Softmax', [biased], { axis: 1 }), 'p');
  b.output('features');
  return freezeGraph({ ...drawWeights(b.build(), new Rng(1)), opsets: { '': 11 } });
}

const theirs = createModel();
const adopt = (change: Partial<AdoptOptions> = {}) =>
  adoptModel(theirs, { ...plain, output: 'p', ...change });

describe('adoptModel', () => {
  test('has one output, any batch and a new opset for training; the file stays as it is', () => {
    const { graph, own, activation } = adopt();
    expect(problemsOf(graph)).toEqual([]);
    expect(graph.opsets['']).toBe(13);
    expect(graph.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['N', 2, 4, 4] }]);
    expect(graph.outputs).toEqual([{ name: 'p', dtype: 'float32', shape: ['N', 5] }]);
    expect(activation).toBe('Softmax');
    expect(own).toEqual(theirs);
  });

  test('computes the logits that go into the softmax, for several rows at once', () => {
    const { graph } = adopt();
    const data = Array.from({ length: 96 }, (_, i) => Math.cos(i));
    const rows = [0, 1, 2].map((row) => {
      const x = tensor([1, 2, 4, 4], data.slice(32 * row, 32 * row + 32));
      return [...(interpret(theirs, { x }).get('p')?.data ?? [])];
    });
    const logits = interpret(graph, { x: tensor([3, 2, 4, 4], data) }).get('p');
    expect(logits?.dims).toEqual([3, 5]);
    rows.forEach((row, r) => {
      const exponents = [...(logits?.data ?? [])].slice(5 * r, 5 * r + 5).map(Math.exp);
      const sum = exponents.reduce((a, b) => a + b, 0);
      row.forEach((p, k) => {
        expect((exponents[k] as number) / sum).toBeCloseTo(p, 10);
      });
    });
  });

  test('a regression loss keeps the softmax', () => {
    expect(adopt({ loss: 'mse' }).activation).toBeUndefined();
  });

  test('patterns freeze by name of weight or node, and a norm as a whole', () => {
    const byNode = rolesOf(adopt({ freeze: ['encoder.conv.*'] }).graph);
    expect(byNode).toMatchObject({ 'encoder/kernel': 'constant', 'n.scale': 'weight' });
    const { graph } = adopt({ freeze: ['n.scale', 'encoder.kernel'] });
    const roles = rolesOf(graph);
    for (const name of ['scale', 'bias', 'mean', 'var'])
      expect(roles[`n.${name}`]).toBe('constant');
    const step = createTrainingStep(graph, resolveRecipe({ batch: 2 }));
    const slots = step.state.flatMap((vector) => vector.slots.map(({ name }) => name));
    expect(slots.sort()).toEqual(['b', 'w']);
  });

  test('from scratch, all is drawn anew but what is frozen', () => {
    const { graph } = adopt({ scratch: true, freeze: ['encoder*'] });
    const bare = graph.initializers.filter(({ data }) => data === undefined);
    expect(bare.map(({ name }) => name).sort()).toEqual([
      'b',
      'n.bias',
      'n.mean',
      'n.scale',
      'n.var',
      'w',
    ]);
  });

  test.each<[string, Partial<AdoptOptions>, RegExp]>([
    ['several outputs', { output: undefined as never }, /expected --output .* 2 outputs \(p, feat/],
    ['an unknown output', { output: 'q' }, /expected an output of the model \(p, features\)/],
    ['a pattern without a match', { freeze: ['x*'] }, /--freeze: .* received x\*; weights are enc/],
    ['a frozen new layer', { classes: 3, freeze: ['w'] }, /without the new last layer, received w/],
  ])('%s: one clear line', (_, change, message) => {
    expect(() => adopt(change)).toThrow(UsageError);
    expect(() => adopt(change)).toThrow(message);
  });
});

describe('another number of classes', () => {
  test('MatMul and Add', () => {
    const { graph, own, notes } = adopt({ classes: 3 });
    const dims = Object.fromEntries(own.initializers.map((one) => [one.name, one.dims]));
    expect(dims).toMatchObject({ w: [12, 3], b: [3] });
    expect(own.outputs[0]?.shape).toEqual([1, 3]);
    expect(inferTypes(graph).get('p')?.shape).toEqual(['N', 3]);
    expect(notes[0]).toBe('last: 3 classes in place of 5, drawn anew');
    expect(own.initializers.find(({ name }) => name === 'w')?.data).toBeUndefined();
  });

  const last: readonly [string, (b: GraphBuilder) => string, Record<string, number[]>][] = [
    [
      'Gemm',
      (b) =>
        b.op('Gemm', [b.op('Flatten', ['x']), b.weight('w', [5, 32]), b.weight('b', [5])], {
          transB: 1,
        }),
      { w: [3, 32], b: [3] },
    ],
    [
      '1×1 Conv before the pooling and a spelled-out Reshape',
      (b) => {
        const planes = b.op('Conv', ['x', b.weight('w', [5, 2, 1, 1]), b.weight('b', [5])]);
        const pooled = b.op('GlobalAveragePool', [b.op('Relu', [planes])]);
        return b.op('Reshape', [pooled, b.ints([-1, 5])]);
      },
      { w: [3, 2, 1, 1], b: [3] },
    ],
    [
      'MatMul of a reshaped tensor',
      (b) => {
        const table = b.op('Reshape', [b.weight('w', [2, 16, 5]), b.ints([32, 5])], {}, 'table');
        return b.op('MatMul', [b.op('Flatten', ['x']), table]);
      },
      { 'table.head': [32, 3] },
    ],
  ];
  test.each(last)('%s', (_, append, dims) => {
    const b = new GraphBuilder('head');
    b.input('x', 'float32', ['N', 2, 4, 4]);
    b.output(append(b), 'logits');
    const { own } = adoptModel(drawWeights(b.build(), new Rng(1)), { ...plain, classes: 3 });
    expect(problemsOf(own)).toEqual([]);
    expect(own.outputs[0]?.shape).toEqual(['N', 3]);
    const bare = own.initializers.filter(({ data }) => data === undefined);
    expect(Object.fromEntries(bare.map((one) => [one.name, one.dims]))).toEqual(dims);
  });

  test('no layer behind the output', () => {
    const b = new GraphBuilder('none');
    b.input('x', 'float32', ['N', 2, 4, 4]);
    const y = b.op('Conv', ['x', b.weight('w', [5, 2, 3, 3])]);
    b.output(b.op('GlobalAveragePool', [y]), 'y');
    expect(() => adoptModel(b.build(), { ...plain, classes: 3 })).toThrow(
      /--classes: expected a Gemm, a MatMul or a 1×1 Conv behind output y, received none/,
    );
  });
});

describe('freeBatch', () => {
  test('refuses inputs of different batches', () => {
    const b = new GraphBuilder('two');
    b.input('a', 'float32', [1, 4]);
    b.input('c', 'float32', [2, 4]);
    b.output(b.op('Add', ['a', 'c']), 'y');
    expect(() => freeBatch(b.build())).toThrow(/expected inputs of one batch, received 1 and 2/);
  });

  test('leaves a free batch alone', () => {
    const graph = withGraph(theirs, { inputs: [{ name: 'x', dtype: 'float32', shape: ['B', 2] }] });
    expect(freeBatch(graph)).toEqual({ graph, changed: false });
  });
});
