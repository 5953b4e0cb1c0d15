/** One-shot training on a task with one way out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { Runner } from '../../../src/runtime/runner.js';
import type { SharedImages } from '../../../src/train/shared-images.js';
import {
  supernetModule as module,
  type SupernetArgs,
  type SupernetProgress,
  type SupernetResult,
} from '../../../src/train/supernet/supernet.js';
import { Rng } from '../../../src/util/random.js';

const SIDE = 8;
const CLASSES = 4;
const COUNT = 320;

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

const options = ['none', 'mean', 'quadrants'];

/** Nothing, the mean of the image, or those of its quadrants, which alone tell the class. */
function createChoice() {
  const b = new GraphBuilder('choice');
  b.input('image', 'float32', ['N', 1, SIDE, SIDE]);
  const gates = options.map((name) => b.input(`gate.${name}`, 'float32', []));
  const pool = (side: number) =>
    b.op('AveragePool', ['image'], { kernel_shape: [side, side], strides: [side, side] });
  const spread = b.op('Add', [pool(SIDE), b.op('Mul', [pool(SIDE / 2), b.scalar(0)])]);
  const sum = b.op('Sum', [
    b.op('Mul', [spread, gates[1] as string]),
    b.op('Mul', [pool(SIDE / 2), gates[2] as string]),
  ]);
  const head = [b.op('Flatten', [sum]), b.weight('w', [CLASSES, 4]), b.weight('b', [CLASSES])];
  b.output(b.op('Gemm', head, { transB: 1 }, 'logits'));
  return { graph: b.build(), gates: [gates] };
}

describe('one-shot training', () => {
  const sets = { train: drawTask(new Rng(1)), search: drawTask(new Rng(2)) };
  const data = (split: string): SharedImages => ({
    images: `${split}.images`,
    labels: `${split}.labels`,
    ...{ count: COUNT, channels: 1, height: SIDE, width: SIDE, mean: [0.4], std: [0.2] },
  });
  const base: SupernetArgs = {
    ...createChoice(),
    recipe: { batch: 16, learningRate: 0.05 },
    data: data('train'),
    validation: data('search'),
    length: { updates: 150 },
    seed: 7,
    threads: 1,
    architectureRate: 0.05,
  };
  let runner: Runner;
  beforeAll(() => {
    runner = new Runner();
    for (const [name, { images, labels }] of Object.entries(sets)) {
      runner.share(`${name}.images`, images);
      runner.share(`${name}.labels`, labels);
    }
  });
  afterAll(() => runner.close());
  const train = (change: Partial<SupernetArgs> = {}, onProgress = (_: unknown) => {}) =>
    runner.call<SupernetResult>(
      { module, name: 'supernetTask', args: { ...base, ...change } },
      { onProgress },
    );

  test('comes to prefer the one operation that helps', async () => {
    const { probabilities, updates, losses } = await train();
    const [[none, mean, quadrants] = []] = probabilities as number[][];
    expect(quadrants).toBeGreaterThan(0.8);
    expect(none).toBeLessThan(0.2);
    expect(mean).toBeLessThan(0.2);
    expect([updates, losses.length]).toEqual([150, 150]);
  });

  test('is the same for the same seed, and another for another', async () => {
    const short = { length: { updates: 30 } };
    const [first, again] = [await train(short), await train(short)];
    expect(again.probabilities).toEqual(first.probabilities);
    expect(again.losses).toEqual(first.losses);
    expect((await train({ ...short, seed: 8 })).probabilities).not.toEqual(first.probabilities);
  });

  test('gives up what is too slow where a limit is broken', async () => {
    const table = { referenceMs: 1, deltaMs: [[0, 0, 2]] };
    const { probabilities, expectedMs } = await train({
      latency: { table, limitMs: 1.2, weight: 50 },
    });
    expect(probabilities[0]?.[2]).toBeLessThan(0.2);
    expect(expectedMs).toBeLessThan(1.4);
  });

  test('plans its updates by the time it has, says so, and does as many when told', async () => {
    const reports: SupernetProgress[] = [];
    const timed = await train({ length: { epochs: 40, seconds: 0.2 } }, (value) =>
      reports.push(value as SupernetProgress),
    );
    expect(reports[0]).toEqual({ update: 0, updates: timed.updates });
    expect(timed.updates).toBeLessThanOrEqual(800);
    const told = await train({ length: { updates: timed.updates } });
    expect(told.probabilities).toEqual(timed.probabilities);
  });

  test('refuses data that fill no update', async () => {
    const few = { ...data('search'), count: 8 };
    await expect(train({ validation: few })).rejects.toThrow(
      'expected at least one update of 16 rows in the search split, received 8',
    );
  });
});
