/** Training through nested graphs and recurrent layers: what is refused, drawn, and trained. */
import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, withGraph } from '../../src/ir/graph.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { parseGraph } from '../../src/ir/text/parse.js';
import { problemsOf } from '../../src/ir/verify.js';
import { appendForward } from '../../src/train/autodiff.js';
import { packState } from '../../src/train/flat-state.js';
import { drawWeights } from '../../src/train/initialize.js';
import { resolveRecipe } from '../../src/train/recipe.js';
import { createTrainingStep } from '../../src/train/step.js';
import { Rng } from '../../src/util/random.js';
import { interpret } from '../reference/interpreter.js';
import { type Tensor, tensor } from '../reference/tensor.js';

const parse = (text: string): Graph =>
  parseGraph(`<ir_version: 8, opset_import: ["" : 17]> ${text}`);

const [BATCH, STEPS, SIZE, STATE, CLASSES] = [3, 4, 2, 5, 3];
const weights = `<
  float[${STATE}] a, float[${SIZE}, ${STATE}] w, float[${STATE}, ${CLASSES}] head, int64[2] flat = {0, ${STATE}}
>`;

/** A linear recurrence h ← tanh(a)∘h + x·w over axis 1, whose weights only a body reads, and a head. */
const scanned = parse(
  `scanned (float[N, ${STEPS}, ${SIZE}] x) => (float[N, ${CLASSES}] logits) ${weights} {
  c = MatMul(x, w)
  row = ReduceSum <keepdims = 0> (c, axis)
  start = Sub(row, row)
  h, all = Scan (start, x) <
    num_scan_inputs = 1, scan_input_axes = [1], scan_output_axes = [1],
    body = step (float[N, ${STATE}] s, float[N, ${SIZE}] u) => (float[N, ${STATE}] n, float[N, ${STATE}] o) {
      d = Tanh(a)
      k = Mul(s, d)
      v = MatMul(u, w)
      n = Add(k, v)
      o = Identity(n)
    }
  >
  logits = MatMul(h, head)
}`.replace('int64[2] flat', 'int64[1] axis = {1}, int64[2] flat'),
);

/** The same, written out. */
function writtenOut(): Graph {
  const b = new GraphBuilder('written');
  b.input('x', 'float32', ['N', STEPS, SIZE]);
  for (const one of scanned.initializers) if (one.role === 'weight') b.initializer(one);
  const row = b.op('ReduceSum', [b.op('MatMul', ['x', 'w']), b.ints([1])], { keepdims: 0 });
  let h = b.op('Sub', [row, row]);
  for (let t = 0; t < STEPS; t++) {
    const u = b.op('Slice', ['x', b.ints([t]), b.ints([t + 1]), b.ints([1])]);
    const flat = b.op('Squeeze', [u, b.ints([1])]);
    h = b.op('Add', [b.op('Mul', [h, b.op('Tanh', ['a'])]), b.op('MatMul', [flat, 'w'])]);
  }
  b.output(b.op('MatMul', [h, 'head']), 'logits');
  return b.build();
}

/** Every output of one training step from drawn weights, in float64. */
function stepOnce(graph: Graph): ReadonlyMap<string, Tensor> {
  const drawn = drawWeights(withGraph(graph, { initializers: graph.initializers }), new Rng(4));
  const recipe = resolveRecipe({ optimizer: 'sgd', batch: BATCH, clipNorm: 0, learningRate: 0.1 });
  const step = createTrainingStep(drawn, recipe, 'onnx');
  const values = new Map<string, Tensor>();
  packState(step, drawn).forEach(({ dims, data }, i) => {
    values.set(step.state[i]?.name as string, tensor(dims, Array.from(data, Number)));
  });
  const rng = new Rng('data');
  for (const { name, dtype, shape } of step.graph.inputs) {
    if (values.has(name)) continue;
    const dims = (shape ?? []).map(Number);
    const count = dims.reduce((a, d) => a * d, 1);
    const draw = () => (dtype === 'int64' ? rng.integer(CLASSES) : rng.range(0.1, 1));
    values.set(name, tensor(dims, Array.from({ length: count }, draw)));
  }
  const results = interpret(step.graph, Object.fromEntries(values));
  return new Map(step.graph.outputs.map(({ name }) => [name, results.get(name) as Tensor]));
}

describe('a Scan', () => {
  test('trains weights that only its body reads, as if it were written out', () => {
    const [one, other] = [stepOnce(scanned), stepOnce(writtenOut())];
    expect([...one.keys()]).toEqual([...other.keys()]);
    for (const [name, { data }] of one) {
      data.forEach((value, i) => {
        expect(value, name).toBeCloseTo(Number(other.get(name)?.data[i]), 10);
      });
    }
    const before = drawWeights(scanned, new Rng(4)).initializers.find(({ name }) => name === 'a');
    expect(one.get('weights.plain.next')?.data).not.toEqual(
      Float64Array.from(before?.data as Float32Array),
    );
  });

  test('tells a file which weights its body holds', () => {
    const drawn = drawWeights(scanned, new Rng(1));
    const roles = (graph: Graph) => graph.initializers.map(({ name, role }) => [name, role]);
    expect(roles(decodeModel(encodeModel(drawn)))).toEqual(roles(drawn));
  });
});

describe('refused in one line', () => {
  const turning = (trip: string, condition: string, on2: string) =>
    parse(`net (float[2, 3] x, int64 m, bool c) => (float[] y)
      <int64 million = {1000000}, bool yes = {1}> {
        y = Loop (${trip}, ${condition}, x) <
          body = turn (int64 i, bool on, float[2, 3] v) => (bool on2, float[2, 3] n) {
            on2 = ${on2}
            n = Sin(v)
          }
        >
      }`);
  const choosing = (inner: string) =>
    parse(`net (float[2, 3] x, bool c) => (float[] y) <bool yes = {1}> {
      y = If (${inner}) <
        then_branch = a () => (float[] p) { p = com.odd.Mystery(x) },
        else_branch = b () => (float[] q) { q = Relu(x) }
      >
    }`);
  test.each<[string, Graph, RegExp]>([
    [
      'a trip count from data',
      turning('m', '""', 'Identity(on)'),
      /y \(Loop\) cannot be trained: its trip count is not constant/,
    ],
    [
      'a condition from data',
      turning('million', 'c', 'Identity(on)'),
      /y \(Loop\) cannot be trained: its condition is not constant/,
    ],
    [
      'neither',
      turning('""', '""', 'Identity(on)'),
      /more than 12000 nodes: 2 in each of Infinity/,
    ],
    [
      'too many turns',
      turning('million', 'yes', 'Identity(on)'),
      /more than 12000 nodes: 2 in each of 1, beside 12000 others/,
    ],
    [
      'too many turns, known before',
      turning('million', '""', 'Identity(on)'),
      /the graph would have more than 12000 nodes: 2 in each of 1000000, beside 0 others/,
    ],
    [
      'a branch that data chooses',
      choosing('c'),
      /y \(If\) cannot be trained: its condition is not constant/,
    ],
    [
      'an operator in a body',
      choosing('yes'),
      /its body has com.odd::Mystery, whose gradient is not known/,
    ],
  ])('%s', (_, graph, message) => {
    const b = GraphBuilder.from(withGraph(graph, { nodes: [] }));
    const unroll = () => graph.nodes.map((node) => appendForward(b, node));
    expect(unroll).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(message) }),
    );
  });

  test('an activation that is not known', () => {
    const b = new GraphBuilder('odd');
    b.input('x', 'float32', [2, 1, 3]);
    const inputs = ['x', b.weight('w', [1, 4, 3]), b.weight('r', [1, 4, 4])];
    const node = b.create('RNN', inputs, { activations: ['Sine'], hidden_size: 4 }, 2, 'rnn');
    expect(() => appendForward(b, node)).toThrow(
      /node rnn \(RNN\) cannot be trained: activation Sine is not known/,
    );
  });
});

describe('a recurrent layer', () => {
  const [input, hidden] = [6, 25];
  const layers = [
    ['RNN', 1],
    ['GRU', 3],
    ['LSTM', 4],
  ] as const;

  function layer(op: (typeof layers)[number][0], gates: number): Graph {
    const b = new GraphBuilder(op);
    b.input('x', 'float32', ['T', 'N', input]);
    const rows = gates * hidden;
    const tensors = [
      b.weight('w', [1, rows, input]),
      b.weight('r', [1, rows, hidden]),
      b.weight('b', [1, 2 * rows]),
      ...(op === 'LSTM' ? ['', '', '', b.weight('p', [1, 3 * hidden])] : []),
    ];
    b.output(b.op(op, ['x', ...tensors], { hidden_size: hidden }), 'y');
    return b.build();
  }

  test.each(layers)('%s has weights uniform over ±1/√hidden', (op, gates) => {
    const drawn = drawWeights(layer(op, gates), new Rng(7));
    for (const { data, name } of drawn.initializers) {
      const values = Array.from(data as Float32Array);
      expect(Math.max(...values.map(Math.abs)), name).toBeLessThanOrEqual(Math.fround(1 / 5));
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
      const wanted = 1 / 5 / Math.sqrt(3);
      expect(Math.abs(deviation / wanted - 1), name).toBeLessThan(4 / Math.sqrt(2 * values.length));
    }
  });

  test('is trained over hundreds of steps', () => {
    const b = new GraphBuilder('long');
    b.input('x', 'float32', ['N', 300, 2]);
    const x = b.op('Transpose', ['x'], { perm: [1, 0, 2] });
    const tensors = [b.weight('w', [1, 3, 2]), b.weight('r', [1, 3, 3])];
    const [, h = ''] = b.ops('RNN', [x, ...tensors], { hidden_size: 3 }, 2);
    b.output(b.op('Squeeze', [h, b.ints([0])]), 'logits');
    const { graph } = createTrainingStep(b.build(), resolveRecipe({ batch: 2 }), 'onnx');
    expect(problemsOf(graph)).toEqual([]);
    expect(graph.nodes.filter(({ op }) => op === 'Tanh')).toHaveLength(300);
  });

  test.each(layers)('%s tells a file that its tensors are weights', (op, gates) => {
    const drawn = drawWeights(layer(op, gates), new Rng(7));
    const decoded = decodeModel(encodeModel(drawn));
    expect(decoded.initializers.map(({ role }) => role)).not.toContain('constant');
    expect(Object.keys(decoded.metadata)).toEqual([]);
  });
});
