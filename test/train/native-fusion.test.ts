import { describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { inferCost } from '../../src/ir/cost.js';
import type { Graph } from '../../src/ir/graph.js';
import { withDims } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { problemsOf } from '../../src/ir/verify.js';
import { Session } from '../../src/runtime/session.js';
import { packState } from '../../src/train/flat-state.js';
import { drawWeights } from '../../src/train/initialize.js';
import { fuseForTraining } from '../../src/train/native-fusion.js';
import { resolveRecipe } from '../../src/train/recipe.js';
import { createTrainingStep, type Kernels, type StepOptions } from '../../src/train/step.js';
import { Rng } from '../../src/util/random.js';
import { elementCount } from '../../src/util/tensor.js';

const BATCH = 4;
const STEPS = 6;

type Attend = (b: GraphBuilder, q: string, k: string, v: string) => string;

/** As exporters write it, rows before heads outside. */
const transposed: Attend = (b, q, k, v) => {
  const inside = (x: string, perm: number[]) => b.op('Transpose', [x], { perm });
  const scores = b.op('MatMul', [inside(q, [0, 2, 1, 3]), inside(k, [0, 2, 3, 1])]);
  const scaled = b.op('Div', [scores, b.scalar(2)]);
  const mixed = b.op('MatMul', [b.op('Softmax', [scaled]), inside(v, [0, 2, 1, 3])]);
  return inside(mixed, [0, 2, 1, 3]);
};
/** Rows stand for heads and the other way round: transpositions have to be added. */
const bare: Attend = (b, q, k, v) => {
  const scores = b.op('MatMul', [q, b.op('Transpose', [k], { perm: [0, 1, 3, 2] })]);
  return b.op('MatMul', [b.op('Softmax', [scores], { axis: 3 }), v]);
};

function createNet(attend: Attend): Graph {
  const b = new GraphBuilder('net');
  b.input('image', 'float32', ['N', 5, 6]);
  const dense = (x: string, name: string, from: number, to: number) =>
    b.op('Add', [
      b.op('MatMul', [x, b.weight(`${name}.w`, [from, to])]),
      b.weight(`${name}.b`, [to]),
    ]);
  const [q = '', k = '', v = ''] = ['q', 'k', 'v'].map((name) =>
    b.op('Reshape', [dense('image', name, 6, 8), b.ints([0, 5, 2, 4])]),
  );
  let x = b.op('Reshape', [attend(b, q, k, v), b.ints([0, 5, 8])]);
  const erf = b.op('Erf', [b.op('Div', [x, b.scalar(Math.SQRT2)])]);
  x = b.op('Mul', [b.op('Mul', [x, b.op('Add', [erf, b.scalar(1)])]), b.scalar(0.5)], {}, 'gelu');
  x = b.op('Mul', [x, b.op('Sigmoid', [x])], {}, 'silu');
  x = b.op('LayerNormalization', [x, b.weight('norm.s', [8]), b.weight('norm.b', [8])]);
  x = b.op('Flatten', [x]);
  b.output(b.op('Gemm', [x, b.weight('out.w', [40, 3]), b.weight('out.b', [3])]), 'logits');
  return drawWeights(b.build(), new Rng('net'));
}

async function lossesOf(
  graph: Graph,
  kernels: Kernels,
  threads: number,
  options: StepOptions = {},
): Promise<number[]> {
  const step = createTrainingStep(graph, resolveRecipe({ batch: BATCH }), kernels, options);
  expect(problemsOf(step.graph)).toEqual([]);
  const session = await Session.create(encodeModel(step.graph), {
    threads,
    optimization: 'all',
    provider: 'cpu',
  });
  const rng = new Rng('data');
  const { name = '', rowDims = [] } = step.inputs[0] ?? {};
  const rows = BATCH * STEPS;
  const state = packState(step, graph);
  const result = await session.runLoop({
    batch: BATCH,
    order: Uint32Array.from({ length: rows }, (_, i) => i),
    stream: [
      {
        name,
        rowDims,
        dtype: 'float32',
        source: Float32Array.from({ length: rows * elementCount(rowDims) }, () => rng.normal()),
      },
      {
        name: step.target?.name as string,
        rowDims: [],
        dtype: 'int64',
        source: Int32Array.from({ length: rows }, () => rng.integer(3)),
      },
    ],
    state: step.state.map(({ name, next }, i) => ({
      name,
      next,
      value: state[i] as (typeof state)[number],
    })),
    perStep: step.perStep(new Float32Array(STEPS).fill(0.01), 0),
    record: step.record,
  });
  session.release();
  return Array.from(result.recorded[0] as Float32Array);
}

describe.each([
  ['transposed', transposed],
  ['bare', bare],
])('attention, %s, with GELU and SiLU', (_, attend) => {
  const graph = createNet(attend);

  test('is one native node each', () => {
    const fused = fuseForTraining(withDims(graph, { N: BATCH }));
    const ops = fused.nodes.map(({ op }) => op);
    expect(ops).toEqual(
      expect.arrayContaining(['TrainingAttention', 'TrainingGelu', 'TrainingSilu']),
    );
    expect(ops.filter((op) => ['Softmax', 'Erf', 'Sigmoid', 'Div'].includes(op))).toEqual([]);
    expect(ops.includes('Transpose')).toBe(attend === bare);
    expect(problemsOf(fused)).toEqual([]);
  });

  test('trains as the plain graph does, on one and two threads', async () => {
    const plain = await lossesOf(graph, 'onnx', 1);
    for (const threads of [1, 2]) {
      const losses = await lossesOf(graph, 'native', threads);
      losses.forEach((loss, i) => {
        expect(Math.abs(loss - (plain[i] as number))).toBeLessThan(1e-5);
      });
    }
    expect(await lossesOf(graph, 'native', 1)).toEqual(await lossesOf(graph, 'native', 1));
  });
});

test('leaves nodes that others read as they are', () => {
  const b = new GraphBuilder('shared');
  b.input('x', 'float32', [2, 3]);
  const gate = b.op('Sigmoid', ['x']);
  b.output(b.op('Add', [b.op('Mul', ['x', gate]), gate]));
  const graph = b.build();
  expect(fuseForTraining(graph).nodes.map(({ op }) => op)).toEqual(['Sigmoid', 'Mul', 'Add']);
});

describe('a limit of memory', () => {
  const b = new GraphBuilder('deep');
  let x = b.input('image', 'float32', ['N', 50, 6]);
  for (let layer = 0; layer < 4; layer++) {
    x = b.op('MatMul', [x, b.weight(`w${layer}`, [layer === 0 ? 6 : 8, 8])]);
    x = b.op('Mul', [x, b.op('Sigmoid', [x])], {}, `silu${layer}`);
  }
  x = b.op('ReduceMean', [x], { axes: [1], keepdims: 0 });
  b.output(b.op('Gemm', [x, b.weight('out', [8, 3])]), 'logits');
  const deep = drawWeights(b.build(), new Rng('deep'));
  const stepWithin = (memoryLimitBytes?: number) =>
    createTrainingStep(deep, resolveRecipe({ batch: BATCH }), 'native', {
      ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
    }).graph;
  const peak = inferCost(stepWithin()).activationPeakBytes;
  const count = (graph: Graph) => graph.nodes.filter(({ op }) => op === 'TrainingSilu').length;

  test('is kept by computing activations twice, with the same losses', async () => {
    const limit = peak - 4 * BATCH * 50 * 8;
    const graph = stepWithin(limit);
    expect(count(stepWithin(peak))).toBe(4);
    expect(count(graph)).toBeGreaterThan(4);
    expect(problemsOf(graph)).toEqual([]);
    expect(inferCost(graph).activationPeakBytes).toBeLessThanOrEqual(limit);
    const freely = await lossesOf(deep, 'native', 1);
    expect(await lossesOf(deep, 'native', 1, { memoryLimitBytes: limit })).toEqual(freely);
  });

  test('that cannot be kept is refused', () => {
    expect(() => stepWithin(1000)).toThrow(
      /needs \d+ bytes of activations at least, received 1000/,
    );
  });
});
