/** Dropout in training form: what it drops, what its gradient drops, and where its draws come from. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, NATIVE_DOMAIN } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { Runner } from '../../src/runtime/runner.js';
import { Session } from '../../src/runtime/session.js';
import { appendGradients } from '../../src/train/autodiff.js';
import { resolveRecipe } from '../../src/train/recipe.js';
import { createTrainingStep, type Kernels } from '../../src/train/step.js';
import {
  type TrainArgs,
  type TrainCheckpoint,
  type TrainResult,
  trainerModule,
} from '../../src/train/trainer.js';
import { appendTrainingForm } from '../../src/train/training-form.js';
import { Rng } from '../../src/util/random.js';

const ROWS = 64;
const COLUMNS = 50;
const size = ROWS * COLUMNS;

/** y = Dropout(x), two of them one behind the other where asked for. */
function dropout(ratio: number | undefined, mode?: boolean, twice = false): Graph {
  const b = new GraphBuilder('g');
  b.input('x', 'float32', [ROWS, COLUMNS]);
  const share = ratio === undefined ? '' : b.scalar(ratio);
  const inputs = ['x', share, ...(mode === undefined ? [] : [b.scalar(mode ? 1 : 0, 'bool')])];
  const first = b.ops('Dropout', inputs, { seed: 7 }, 2, 'first');
  const again = [first[0] as string, ...inputs.slice(1)];
  const last = twice ? b.ops('Dropout', again, { seed: 7 }, 2, 'second') : first;
  b.output(last[0] as string, 'y');
  b.output(last[1] as string, 'mask');
  return b.build();
}

/** The training form with gradient of Σ r·y, as a session. */
async function createSession(
  graph: Graph,
  kernels: Kernels,
  seed: number | string,
  threads = 1,
): Promise<Session> {
  const b = new GraphBuilder('training', {
    domains: kernels === 'native' ? { [NATIVE_DOMAIN]: 1 } : {},
  });
  b.input('x', 'float32', [ROWS, COLUMNS]);
  for (const initializer of graph.initializers) b.initializer(initializer);
  const { nodes } = appendTrainingForm(b, graph, new Rng(seed));
  b.input('r', 'float32', [ROWS, COLUMNS]);
  const gradients = appendGradients(b, nodes, new Map([['y', 'r']]), ['x']);
  b.output('y');
  b.output('mask');
  b.output(gradients.get('x') as string, 'dx');
  const options = { threads, optimization: 'all', provider: 'cpu' } as const;
  return Session.create(encodeModel(b.build()), options);
}

const x = Float32Array.from({ length: size }, (_, i) => Math.sin(i) + 2);
const r = Float32Array.from({ length: size }, (_, i) => Math.cos(i) + 2);
const feeds = Object.fromEntries(
  Object.entries({ x, r }).map(([name, data]) => [
    name,
    { dtype: 'float32' as const, dims: [ROWS, COLUMNS], data },
  ]),
);

async function runs(session: Session, count: number, first = 0) {
  const results: Record<'y' | 'dx' | 'mask', readonly number[]>[] = [];
  for (let i = 0; i < count; i++) {
    const run = { dtype: 'float32' as const, dims: [], data: Float32Array.of(first + i) };
    const isNative = session.inputs.some(({ name }) => name === 'draws.run');
    const fed = isNative ? { ...feeds, 'draws.run': run } : feeds;
    const { y, dx, mask } = await session.run(fed);
    results.push({
      y: Array.from(y?.data as Float32Array),
      dx: Array.from(dx?.data as Float32Array),
      mask: Array.from(mask?.data as Uint8Array),
    });
  }
  session.release();
  return results;
}

describe.each(['native', 'onnx'] as const)('dropout in training form, %s', (kernels) => {
  it.each([0.1, 0.5, undefined])(
    'drops a share of %s, and its gradient the same',
    async (ratio) => {
      const share = ratio ?? 0.5;
      const results = await runs(await createSession(dropout(ratio), kernels, 'a'), 3);
      for (const { y, dx, mask } of results) {
        mask.forEach((kept, i) => {
          expect(y[i]).toBeCloseTo(((x[i] as number) * kept) / (1 - share), 4);
          expect(dx[i]).toBeCloseTo(((r[i] as number) * kept) / (1 - share), 4);
        });
        const dropped = mask.filter((kept) => kept === 0).length / size;
        expect(Math.abs(dropped - share)).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / size));
      }
    },
  );

  it('draws anew in every run, from a seed alone', async () => {
    const masks = async (seed: string, threads = 1) =>
      (await runs(await createSession(dropout(0.5), kernels, seed, threads), 40)).map(
        ({ mask }) => mask,
      );
    const a = await masks('a');
    expect(await masks('a', 2)).toEqual(a);
    expect(await masks('b')).not.toEqual(a);
    // Of 40 fair draws, 5 or fewer (or 35 or more) are the same once in 720,000 times.
    for (let i = 0; i < size; i++) {
      const kept = a.filter((mask) => mask[i] === 1).length;
      expect(Math.abs(kept - 20), `element ${i} was kept ${kept} times`).toBeLessThan(17);
    }
  });

  it('draws for each node of its own', async () => {
    const [{ y, mask } = { y: [], mask: [] }] = await runs(
      await createSession(dropout(0.5, true, true), kernels, 'a'),
      1,
    );
    expect(Math.abs(mask.filter((kept) => kept === 1).length / size - 0.5)).toBeLessThan(0.05);
    expect(Math.abs(y.filter((v) => v !== 0).length / size - 0.25)).toBeLessThan(0.05);
  });

  it('is identity with ratio 0 and where the model says so', async () => {
    for (const graph of [dropout(0), dropout(0.5, false)]) {
      const [{ y, dx, mask } = { y: [], dx: [], mask: [] }] = await runs(
        await createSession(graph, kernels, 'a'),
        1,
      );
      expect(y).toEqual([...x]);
      expect(dx).toEqual([...r]);
      expect(mask.every((kept) => kept === 1)).toBe(true);
    }
  });

  it('is refused where its ratio or mode cannot be used', async () => {
    await expect(createSession(dropout(1), kernels, 'a')).rejects.toThrow('below 1, received 1');
  });
});

/** Two layers with dropout between; two classes. */
function createNet(): Graph {
  const b = new GraphBuilder('net');
  b.input('x', 'float32', ['N', 4]);
  const hidden = b.op('Relu', [b.op('MatMul', ['x', b.weight('w1', [4, 32])])]);
  const dropped = b.op('Dropout', [hidden, b.scalar(0.4)]);
  b.output(b.op('MatMul', [dropped, b.weight('w2', [32, 2])]), 'logits');
  return b.build();
}

describe('trainings with dropout', () => {
  let runner: Runner;
  const rng = new Rng(3);
  const inputs = Float32Array.from({ length: 64 * 4 }, () => rng.normal());
  const labels = BigInt64Array.from({ length: 64 }, (_, i) =>
    BigInt((inputs[4 * i] as number) > 0 ? 1 : 0),
  );
  beforeAll(() => {
    runner = new Runner();
    runner.share('x', inputs);
    runner.share('labels', labels);
  });
  afterAll(() => runner.close());

  /** The losses. */
  const train = async (change: Partial<TrainArgs>, checkpoints: Uint8Array[] = []) => {
    const args: TrainArgs = {
      graph: createNet(),
      recipe: { batch: 16, learningRate: 0.01 },
      data: {
        count: 64,
        inputs: [{ name: 'x', array: 'x', rowDims: [4], dtype: 'float32' }],
        target: { name: 'labels', array: 'labels', rowDims: [], dtype: 'int64' },
      },
      epochs: 5,
      seed: 1,
      threads: 1,
      ...change,
    };
    const call = { module: trainerModule, name: 'trainTask', args };
    const { losses } = await runner.call<TrainResult>(call, {
      onProgress: (value) => {
        const { checkpoint } = value as Partial<TrainCheckpoint>;
        if (checkpoint !== undefined) checkpoints.push(checkpoint);
      },
    });
    return Array.from(losses);
  };

  it('have the losses of their seed, bit for bit', async () => {
    const first = await train({});
    expect(await train({})).toEqual(first);
    expect(await train({ seed: 2 })).not.toEqual(first);
    expect(first.every(Number.isFinite)).toBe(true);
  });

  it('go on from a checkpoint as if they had not stopped', async () => {
    const checkpoints: Uint8Array[] = [];
    const whole = await train({ checkpoint: { everyEpochs: 2 } }, checkpoints);
    const resume = checkpoints[0] as Uint8Array;
    expect(await train({ checkpoint: { everyEpochs: 2, resume } })).toEqual(whole);
  });

  it('draw in the step graph alone', () => {
    const step = createTrainingStep(createNet(), resolveRecipe({ batch: 16, accumulate: 2 }));
    expect(step.graph.nodes.map(({ op }) => op)).toContain('TensorDraws');
    const numbers = step.perStep(Float32Array.of(1, 1), 3).find(({ name }) => name === 'draws.run');
    expect([...(numbers?.values ?? [])]).toEqual([6, 7, 8, 9]);
    const plain = createTrainingStep(createNet(), resolveRecipe({ batch: 16 }), 'onnx');
    expect(plain.graph.nodes.map(({ op }) => op)).toContain('RandomUniformLike');
  });
});
