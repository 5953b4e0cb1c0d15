/**
 * Whole steps against PyTorch 1.13 on the CPU: `torch-losses.json` is what
 * `python3 benchmarks/torch_reference.py` printed. Weights and data come from the same generator.
 */
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { beforeAll, describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, withData } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { problemsOf } from '../../src/ir/verify.js';
import type { HostTensor } from '../../src/runtime/binding-types.js';
import { Session } from '../../src/runtime/session.js';
import { packState, unpackState } from '../../src/train/flat-state.js';
import { type Recipe, resolveRecipe } from '../../src/train/recipe.js';
import { createTrainingStep, type Kernels, type TrainingStep } from '../../src/train/step.js';

const STEPS = 20;
const BATCH = 8;
const SIDE = 8;
const CLASSES = 5;

const recipes: Readonly<Record<string, Recipe>> = {
  sgd: { optimizer: 'sgd', momentum: 0.9, weightDecay: 0.01, clipNorm: 0, learningRate: 0.05 },
  'nesterov, smoothed, clipped': {
    optimizer: 'sgd',
    momentum: 0.8,
    nesterov: true,
    weightDecay: 0,
    labelSmoothing: 0.2,
    clipNorm: 0.5,
    learningRate: 0.1,
  },
  adamw: { optimizer: 'adamw', weightDecay: 0.1, clipNorm: 0, learningRate: 0.01 },
  'adamw, smoothed, clipped': {
    optimizer: 'adamw',
    weightDecay: 0.02,
    labelSmoothing: 0.1,
    clipNorm: 0.3,
    learningRate: 0.02,
  },
};

interface Expected {
  readonly losses: readonly number[];
  /** Running mean and variance of the first and second norm. */
  readonly running: readonly (readonly number[])[];
  /** Sum of the last layer's weights. */
  readonly linear: number;
}
const expected: Readonly<Record<string, Expected>> = JSON.parse(
  readFileSync(new URL('torch-losses.json', import.meta.url), 'utf8'),
);

function createNet(): Graph {
  const b = new GraphBuilder('reference');
  b.input('image', 'float32', ['N', 1, SIDE, SIDE]);
  const norm = (x: string, name: string, channels: number) =>
    b.op('BatchNormalization', [
      x,
      b.weight(`${name}.scale`, [channels]),
      b.weight(`${name}.bias`, [channels]),
      b.weight(`${name}.mean`, [channels], 'state'),
      b.weight(`${name}.var`, [channels], 'state'),
    ]);
  const window = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  let x = b.op('Conv', ['image', b.weight('conv1', [4, 1, 3, 3])], window);
  x = b.op('Relu', [norm(x, 'norm1', 4)]);
  x = b.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  x = b.op('Conv', [x, b.weight('conv2', [6, 4, 3, 3])], { ...window, strides: [2, 2] });
  x = b.op('Clip', [norm(x, 'norm2', 6), b.scalar(0), b.scalar(6)]);
  x = b.op('Flatten', [b.op('GlobalAveragePool', [x])], { axis: 1 });
  const head = [x, b.weight('linear', [CLASSES, 6]), b.weight('bias', [CLASSES])];
  b.output(b.op('Gemm', head, { transB: 1 }, 'logits'));
  return b.build();
}

/** s ← (1664525·s + 1013904223) mod 2³², value s/2³² − ½. */
function createGenerator() {
  let state = 1;
  return () => {
    state = (1664525 * state + 1013904223) % 2 ** 32;
    return state / 2 ** 32 - 0.5;
  };
}

function createProblem() {
  const uniform = createGenerator();
  const draw = (scale: number, length: number) =>
    Float32Array.from({ length }, () => scale * uniform());
  const weights = new Map<string, Float32Array>([
    ['conv1', draw(1, 36)],
    ['conv2', draw(0.5, 216)],
    ['linear', draw(1, CLASSES * 6)],
  ]);
  const images = draw(2, STEPS * BATCH * SIDE * SIDE);
  const labels = Int32Array.from({ length: STEPS * BATCH }, () =>
    Math.trunc((uniform() + 0.5) * CLASSES),
  );
  const plain = createNet();
  for (const { name, role, dims } of plain.initializers) {
    if (role === 'constant' || weights.has(name)) continue;
    const one = name.endsWith('.scale') || name.endsWith('.var');
    weights.set(name, new Float32Array(dims[0] ?? 1).fill(one ? 1 : 0));
  }
  return { graph: withData(plain, weights), images, labels };
}

const problem = createProblem();

const image = (step: TrainingStep) => step.inputs[0]?.name as string;
const label = (step: TrainingStep) => step.target?.name as string;

interface Outcome {
  readonly losses: number[];
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** The step graph in ordinary operators, run by onnxruntime-node one step at a time. */
async function runPlain(step: TrainingStep, rates: Float32Array): Promise<Outcome> {
  const session = await InferenceSession.create(encodeModel(step.graph), { intraOpNumThreads: 1 });
  let state = packState(step, problem.graph);
  const losses: number[] = [];
  for (let i = 0; i < STEPS; i++) {
    const pixels = BATCH * SIDE * SIDE;
    const images = problem.images.slice(i * pixels, (i + 1) * pixels);
    const labels = BigInt64Array.from(problem.labels.slice(i * BATCH, (i + 1) * BATCH), BigInt);
    const feeds: Record<string, Tensor> = {
      [image(step)]: new Tensor('float32', images, [BATCH, 1, SIDE, SIDE]),
      [label(step)]: new Tensor('int64', labels, [BATCH]),
    };
    step.state.forEach(({ name, length }, k) => {
      feeds[name] = new Tensor('float32', state[k]?.data as Float32Array, [length]);
    });
    for (const { name, values } of step.perStep(rates.subarray(i, i + 1), i)) {
      feeds[name] = new Tensor('float32', values.slice(), []);
    }
    const results = await session.run(feeds);
    losses.push(Number(results.loss?.data[0]));
    state = step.state.map(({ next, length }): HostTensor => {
      return { dtype: 'float32', dims: [length], data: results[next]?.data as Float32Array };
    });
  }
  await session.release();
  return { losses, tensors: unpackState(step, state) };
}

/** The step graph over our kernels, in the addon's training loop. */
async function runLoop(step: TrainingStep, rates: Float32Array): Promise<Outcome> {
  const session = await Session.create(encodeModel(step.graph), {
    threads: 2,
    optimization: 'all',
    provider: 'cpu',
  });
  const state = packState(step, problem.graph);
  const rowDims = [1, SIDE, SIDE];
  const result = await session.runLoop({
    batch: BATCH,
    order: Uint32Array.from(problem.labels, (_, i) => i),
    stream: [
      { name: image(step), rowDims, dtype: 'float32', source: problem.images },
      { name: label(step), rowDims: [], dtype: 'int64', source: problem.labels },
    ],
    state: step.state.map(({ name, next, inPlace }, i) => ({
      ...{ name, next, inPlace },
      value: state[i] as HostTensor,
    })),
    perStep: step.perStep(rates, 0),
    record: step.record,
  });
  session.release();
  return { losses: [...(result.recorded[0] ?? [])], tensors: unpackState(step, result.state) };
}

describe.each(Object.keys(recipes))('%s', (name) => {
  describe.each(['onnx', 'native'] as const satisfies readonly Kernels[])(
    '%s kernels',
    (kernels) => {
      const reference = expected[name] as Expected;
      let outcome: Outcome;
      beforeAll(async () => {
        const recipe = resolveRecipe({ ...recipes[name], batch: BATCH });
        const step = createTrainingStep(problem.graph, recipe, kernels);
        expect(problemsOf(step.graph)).toEqual([]);
        const rates = new Float32Array(STEPS).fill(recipe.learningRate);
        outcome = await (kernels === 'native' ? runLoop : runPlain)(step, rates);
      });

      test('20 losses are those of PyTorch', () => {
        expect(outcome.losses).toHaveLength(STEPS);
        outcome.losses.forEach((loss, i) => {
          expect(Math.abs(loss - (reference.losses[i] as number)), `step ${i}`).toBeLessThan(1e-4);
        });
      });

      test('running statistics and weights end as in PyTorch', () => {
        const vectors = ['norm1.mean', 'norm1.var', 'norm2.mean', 'norm2.var'];
        vectors.forEach((vector, k) => {
          const values = outcome.tensors.get(vector) as Float32Array;
          reference.running[k]?.forEach((v, i) => {
            expect(Math.abs((values[i] as number) - v), `${vector}[${i}]`).toBeLessThan(1e-4);
          });
        });
        const sum = (outcome.tensors.get('linear') as Float32Array).reduce((a, b) => a + b, 0);
        expect(Math.abs(sum - reference.linear)).toBeLessThan(1e-4);
      });
    },
  );
});
