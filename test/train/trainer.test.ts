/** Training and scoring through a real runner on a small generated task. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { Graph } from '../../src/ir/graph.js';
import { Runner } from '../../src/runtime/runner.js';
import type { ClassificationResult, EvaluateArgs } from '../../src/train/evaluate.js';
import type { SharedImages } from '../../src/train/shared-images.js';
import {
  trainerModule as module,
  type TrainArgs,
  type TrainProgress,
  type TrainResult,
  withWeights,
} from '../../src/train/trainer.js';
import { Rng } from '../../src/util/random.js';

const SIDE = 8;
const CLASSES = 4;
const COUNT = 330;

/** A bright quadrant under noise; its place is the class. */
function drawTask(rng: Rng) {
  const labels = Uint8Array.from({ length: COUNT }, () => rng.integer(CLASSES));
  const images = Uint8Array.from({ length: COUNT * SIDE * SIDE }, (_, i) => {
    const place = i % (SIDE * SIDE);
    const quadrant = 2 * Number(place >= 32) + Number(place % SIDE >= SIDE / 2);
    return rng.integer(140) + (quadrant === labels[Math.floor(i / (SIDE * SIDE))] ? 100 : 0);
  });
  return { images, labels };
}

function createNet(): Graph {
  const b = new GraphBuilder('net');
  b.input('image', 'float32', ['N', 1, SIDE, SIDE]);
  let x = b.op('Conv', ['image', b.weight('conv', [8, 1, 3, 3])], {
    kernel_shape: [3, 3],
    pads: [1, 1, 1, 1],
  });
  const tensors = ['scale', 'bias'].map((name) => b.weight(`norm.${name}`, [8]));
  const states = ['mean', 'var'].map((name) => b.weight(`norm.${name}`, [8], 'state'));
  x = b.op('Relu', [b.op('BatchNormalization', [x, ...tensors, ...states])]);
  x = b.op('MaxPool', [x], { kernel_shape: [4, 4], strides: [4, 4] });
  const head = [b.op('Flatten', [x]), b.weight('w', [CLASSES, 32]), b.weight('b', [CLASSES])];
  b.output(b.op('Gemm', head, { transB: 1 }, 'logits'));
  return b.build();
}

const { images, labels } = drawTask(new Rng(1));
const data: SharedImages = {
  images: 'images',
  labels: 'labels',
  count: COUNT,
  channels: 1,
  height: SIDE,
  width: SIDE,
  mean: [0.4],
  std: [0.2],
};
const base: TrainArgs = {
  graph: createNet(),
  recipe: { batch: 16, learningRate: 0.01 },
  data,
  epochs: 4,
  seed: 7,
  threads: 1,
};

let runner: Runner;
beforeAll(() => {
  runner = new Runner();
  runner.share('images', images);
  runner.share('labels', labels);
});
afterAll(() => runner.close());

const train = (change: Partial<TrainArgs> = {}, onProgress: (value: unknown) => void = () => {}) =>
  runner.call<TrainResult>(
    { module, name: 'trainTask', args: { ...base, ...change } },
    { onProgress },
  );
const evaluate = (args: EvaluateArgs) =>
  runner.call<ClassificationResult>({ module, name: 'evaluateTask', args });

describe('trainTask', () => {
  let result: TrainResult;
  const reports: TrainProgress[] = [];
  beforeAll(async () => {
    result = await train({}, (value) => reports.push(value as TrainProgress));
  });

  test('learns the task, and the running statistics with it', async () => {
    expect(result.steps).toBe(4 * Math.floor(COUNT / 16));
    expect(result.losses).toHaveLength(result.steps);
    expect(result.diverged).toBeUndefined();
    const trained = withWeights(base.graph, result.weights);
    const score = await evaluate({ graph: trained, data, threads: 1 });
    expect(score.accuracy).toBeGreaterThan(0.95);
  });

  test('reports its progress up to the last step', () => {
    expect(reports.at(-1)).toMatchObject({ step: result.steps, steps: result.steps });
    expect(reports.at(-1)?.accuracy).toBeGreaterThan(reports[0]?.accuracy as number);
    expect(reports[0]?.loss).toBeCloseTo(result.losses[0] as number, 5);
  });

  test('the same seed gives the same weights, another seed others', async () => {
    const again = await train();
    expect(again.losses).toEqual(result.losses);
    expect(again.weights).toEqual(result.weights);
    const other = await train({ seed: 8 });
    expect(other.losses).not.toEqual(result.losses);
  });

  test('weights that are there are trained on', async () => {
    const graph = withWeights(base.graph, result.weights);
    const more = await train({ graph, epochs: 1, seed: 9 });
    expect(more.losses[0]).toBeLessThan(0.5 * (result.losses[0] as number));
  });

  test('part of an epoch is at least one step', async () => {
    expect((await train({ epochs: 0.5 })).steps).toBe(10);
    expect((await train({ epochs: 0.001 })).steps).toBe(1);
  });

  test('an exploding loss ends it, with the step and the loss', async () => {
    const recipe = { ...base.recipe, optimizer: 'sgd', learningRate: 1e6, clipNorm: 0 } as const;
    const { diverged, steps, losses } = await train({ recipe });
    expect(diverged).toBeDefined();
    expect(steps).toBeLessThan(80);
    expect(diverged?.step).toBe(steps - 1);
    const last = losses[steps - 1] as number;
    expect(Number.isFinite(last) ? last > 10 * Math.log(CLASSES) : true).toBe(true);
  });

  test.each<[string, Partial<TrainArgs>, RegExp]>([
    [
      'too few images',
      { data: { ...data, count: 9 } },
      /at least one update of 16 rows, received 9/,
    ],
    [
      'images of another size',
      { data: { ...data, height: 9 } },
      /expected rows of float32 \[1,8,8\] for input image, received float32 \[1,9,8\]/,
    ],
  ])('%s: one clear line', async (_, change, message) => {
    await expect(train(change)).rejects.toThrow(message);
  });
});

describe('evaluateTask', () => {
  test('counts every image once, whatever the batch', async () => {
    const { weights } = await train({ epochs: 1 });
    const graph = withWeights(base.graph, weights);
    const whole = await evaluate({ graph, data, threads: 1, batch: COUNT });
    expect(whole.count).toBe(COUNT);
    expect(whole.accuracy).toBe(whole.correct / COUNT);
    for (const batch of [1, 32, 329]) {
      const parts = await evaluate({ graph, data, threads: 1, batch });
      expect(parts.correct).toBe(whole.correct);
      expect(parts.loss).toBeCloseTo(whole.loss, 5);
    }
  });

  test('a constant answer scores the share of its class', async () => {
    const zeros = Object.fromEntries(
      base.graph.initializers.map((i) => [
        i.name,
        new Float32Array(i.dims.reduce((a, b) => a * b, 1)),
      ]),
    );
    const graph = withWeights(base.graph, { ...zeros, b: Float32Array.of(0, 0, 3, 0) });
    const score = await evaluate({ graph, data, threads: 1 });
    const right = labels.filter((label) => label === 2).length;
    expect(score.correct).toBe(right);
    const total = Math.log(3 + Math.exp(3));
    const wanted = (right * (total - 3) + (COUNT - right) * total) / COUNT;
    expect(score.loss).toBeCloseTo(wanted, 5);
  });
});
