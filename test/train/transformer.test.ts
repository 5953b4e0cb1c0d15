/** A whole net of newer operators, trained through a real runner: what it writes, ONNX Runtime runs. */
import { afterAll, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { Graph } from '../../src/ir/graph.js';
import { Runner } from '../../src/runtime/runner.js';
import type { ClassificationResult, EvaluateArgs } from '../../src/train/evaluate.js';
import type { SharedImages } from '../../src/train/shared-images.js';
import {
  trainerModule as module,
  type TrainArgs,
  type TrainResult,
  withWeights,
} from '../../src/train/trainer.js';
import { Rng } from '../../src/util/random.js';

const SIDE = 8;
const CLASSES = 4;
const COUNT = 320;
const WIDTH = 16;

/** Rows as words; rotary positions, grouped attention and a gated layer between norms. */
function createTransformer(): Graph {
  const b = new GraphBuilder('transformer', { opset: 23 });
  b.input('image', 'float32', ['N', 1, SIDE, SIDE]);
  const linear = (x: string, name: string, rows: number, columns: number) =>
    b.op('Einsum', [x, b.weight(name, [rows, columns])], { equation: 'blc,cd->bld' });
  const norm = (x: string, name: string) =>
    b.op('RMSNormalization', [x, b.weight(name, [WIDTH])], { epsilon: 1e-5 });
  const words = b.op('Reshape', ['image', b.ints([0, SIDE, SIDE])]);
  const embedded = linear(words, 'embed', SIDE, WIDTH);
  const angles = Array.from({ length: SIDE * 2 }, (_, i) => Math.floor(i / 2) * (i % 2 ? 0.1 : 1));
  const cos = b.tensor([SIDE, 2], angles.map(Math.cos));
  const sin = b.tensor([SIDE, 2], angles.map(Math.sin));
  const positions = b.op('Expand', [
    b.tensor([1, SIDE], [0, 1, 2, 3, 4, 5, 6, 7], 'int64'),
    b.op('Concat', [b.op('Shape', ['image'], { end: 1 }), b.ints([SIDE])], { axis: 0 }),
  ]);
  const turned = (x: string, heads: number) =>
    b.op('RotaryEmbedding', [x, cos, sin, positions], { num_heads: heads });
  const normed = norm(embedded, 'norm1');
  const q = turned(linear(normed, 'query', WIDTH, 16), 4);
  const k = turned(linear(normed, 'key', WIDTH, 8), 2);
  const v = linear(normed, 'value', WIDTH, 8);
  const attended = b.op('Attention', [q, k, v], { q_num_heads: 4, kv_num_heads: 2, is_causal: 1 });
  const mixed = b.op('Add', [embedded, linear(attended, 'mix', 16, WIDTH)]);
  const second = norm(mixed, 'norm2');
  const wide = b.op('Relu', [linear(second, 'up', WIDTH, 32)]);
  const deep = b.op('Add', [mixed, linear(wide, 'down', 32, WIDTH)]);
  const flat = b.op('Flatten', [deep]);
  const head = [flat, b.weight('w', [CLASSES, SIDE * WIDTH]), b.weight('b', [CLASSES])];
  b.output(b.op('Gemm', head, { transB: 1 }, 'logits'));
  return b.build();
}

/** Convolutions between instance and group normalisations, in opset 21. */
function createNormalized(): Graph {
  const b = new GraphBuilder('normalized', { opset: 21 });
  b.input('image', 'float32', ['N', 1, SIDE, SIDE]);
  const conv = (x: string, name: string, from: number, to: number) =>
    b.op('Conv', [x, b.weight(name, [to, from, 3, 3])], { pads: [1, 1, 1, 1], strides: [2, 2] });
  const affine = (name: string, count: number) => [
    b.weight(`${name}.scale`, [count]),
    b.weight(`${name}.bias`, [count]),
  ];
  let x = conv('image', 'c1', 1, 8);
  x = b.op('Relu', [b.op('GroupNormalization', [x, ...affine('n1', 8)], { num_groups: 2 })]);
  x = conv(x, 'c2', 8, 8);
  x = b.op('Relu', [b.op('InstanceNormalization', [x, ...affine('n2', 8)])]);
  const head = [b.op('Flatten', [x]), b.weight('w', [CLASSES, 32]), b.weight('b', [CLASSES])];
  b.output(b.op('Gemm', head, { transB: 1 }, 'logits'));
  return b.build();
}

const rng = new Rng(1);
const labels = Uint8Array.from({ length: COUNT }, () => rng.integer(CLASSES));
/** A bright quadrant under noise; its place is the class. */
const images = Uint8Array.from({ length: COUNT * SIDE * SIDE }, (_, i) => {
  const place = i % (SIDE * SIDE);
  const quadrant = 2 * Number(place >= 32) + Number(place % SIDE >= SIDE / 2);
  return rng.integer(140) + (quadrant === labels[Math.floor(i / (SIDE * SIDE))] ? 100 : 0);
});
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

const runner = new Runner();
runner.share('images', images);
runner.share('labels', labels);
afterAll(() => runner.close());

test.each([
  { net: 'transformer', graph: createTransformer() },
  { net: 'normalised convolutions', graph: createNormalized() },
])('$net: what is learned is what ONNX Runtime computes', async ({ graph }) => {
  const args: TrainArgs = {
    graph,
    recipe: { batch: 16, learningRate: 0.01 },
    data,
    epochs: 6,
    seed: 7,
    threads: 1,
  };
  const { losses, weights } = await runner.call<TrainResult>({ module, name: 'trainTask', args });
  const first = losses.slice(0, 5).reduce((a, b) => a + b, 0) / 5;
  const last = losses.slice(-5).reduce((a, b) => a + b, 0) / 5;
  expect(first).toBeLessThan(3);
  expect(last).toBeLessThan(0.4);
  const score = await runner.call<ClassificationResult>({
    module,
    name: 'evaluateTask',
    args: { graph: withWeights(graph, weights), data, threads: 1 } satisfies EvaluateArgs,
  });
  expect(score.accuracy).toBeGreaterThan(0.9);
});
