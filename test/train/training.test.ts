/** What a recipe can ask for beyond the optimiser, in whole trainings on rows of plain arrays. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { Graph } from '../../src/ir/graph.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { Runner } from '../../src/runtime/runner.js';
import type { SharedRows } from '../../src/train/shared-rows.js';
import {
  trainerModule as module,
  type TrainArgs,
  type TrainCheckpoint,
  type TrainProgress,
  type TrainResult,
} from '../../src/train/trainer.js';
import { Rng } from '../../src/util/random.js';

const COUNT = 96;
const FEATURES = 6;
const rng = new Rng(2);
const inputs = Float32Array.from({ length: COUNT * FEATURES }, () => rng.normal());
/** A sum of sines of the features: something to regress. */
const values = Float32Array.from({ length: COUNT }, (_, row) =>
  inputs
    .subarray(row * FEATURES, (row + 1) * FEATURES)
    .reduce((sum, x, k) => sum + Math.sin(x + k), 0),
);
const noise = Float32Array.from({ length: COUNT }, () => rng.normal());

const column = (name: string, array: string, rowDims: readonly number[]) =>
  ({ name, array, rowDims, dtype: 'float32' }) as const;
const data: SharedRows = {
  count: COUNT,
  inputs: [column('x', 'x', [FEATURES])],
  target: column('target', 'values', [1]),
};

function createNet(): Graph {
  const b = new GraphBuilder('regression');
  b.input('x', 'float32', ['N', FEATURES]);
  const hidden = b.op('Gemm', ['x', b.weight('w1', [FEATURES, 16]), b.weight('b1', [16])]);
  const head = [b.op('Tanh', [hidden]), b.weight('w2', [16, 1]), b.weight('b2', [1])];
  b.output(b.op('Gemm', head), 'y');
  return b.build();
}

const base: TrainArgs = {
  graph: createNet(),
  recipe: { loss: 'mse', batch: 16, learningRate: 0.02 },
  data,
  epochs: 4,
  seed: 5,
  threads: 1,
};

let runner: Runner;
beforeAll(() => {
  runner = new Runner();
  runner.share('x', inputs);
  runner.share('values', values);
  runner.share('noise', noise);
});
afterAll(() => runner.close());

interface Trained {
  readonly result: TrainResult;
  readonly reports: readonly TrainProgress[];
  readonly checkpoints: readonly Uint8Array[];
}

async function train(change: Partial<TrainArgs> = {}): Promise<Trained> {
  const reports: TrainProgress[] = [];
  const checkpoints: Uint8Array[] = [];
  const onProgress = (value: unknown): void => {
    const message = value as TrainProgress | TrainCheckpoint;
    if ('checkpoint' in message) checkpoints.push(message.checkpoint);
    else reports.push(message);
  };
  const args = { ...base, ...change };
  const result = await runner.call<TrainResult>(
    { module, name: 'trainTask', args },
    { onProgress },
  );
  return { result, reports, checkpoints };
}

function expectClose(a: TrainResult, b: TrainResult, tolerance: number): void {
  for (const [name, wanted] of Object.entries(b.weights)) {
    a.weights[name]?.forEach((v, i) => {
      expect(Math.abs(v - (wanted[i] as number)), `${name}[${i}]`).toBeLessThan(tolerance);
    });
  }
}

test('regression on float rows learns', async () => {
  const { result } = await train({ epochs: 40 });
  const mean = (part: Float32Array) => part.reduce((a, b) => a + b, 0) / part.length;
  expect(mean(result.losses.slice(-6))).toBeLessThan(0.2 * mean(result.losses.slice(0, 6)));
});

test('a model that computes its own loss is trained on all its inputs', async () => {
  const b = new GraphBuilder('own-loss');
  b.input('x', 'float32', ['N', FEATURES]);
  b.input('y', 'float32', ['N', 1]);
  const hidden = b.op('Gemm', ['x', b.weight('w1', [FEATURES, 16]), b.weight('b1', [16])]);
  const head = [b.op('Tanh', [hidden]), b.weight('w2', [16, 1]), b.weight('b2', [1])];
  const error = b.op('Sub', [b.op('Gemm', head), 'y']);
  b.output(b.op('ReduceMean', [b.op('Mul', [error, error])], { keepdims: 0 }), 'loss');
  const inside: SharedRows = {
    count: COUNT,
    inputs: [column('y', 'values', [1]), column('x', 'x', [FEATURES])],
  };
  const recipe = { ...base.recipe, loss: 'output' } as const;
  const evaluation = { data: inside, everyEpochs: 1 };
  const own = await train({ graph: b.build(), recipe, data: inside, evaluation });
  const plain = await train({ evaluation: { data, everyEpochs: 1 } });
  own.result.losses.forEach((loss, i) => {
    expect(loss).toBeCloseTo(plain.result.losses[i] as number, 5);
  });
  own.result.evaluations.forEach(({ loss }, i) => {
    expect(loss).toBeCloseTo(plain.result.evaluations[i]?.loss as number, 5);
  });
});

test('sequences of classes are learnt: [N, T, K] logits of int64 tokens', async () => {
  const [length, classes] = [5, 7];
  const tokens = Int32Array.from({ length: COUNT * length }, () => rng.integer(classes));
  // Each target is the successor of its token.
  runner.share('tokens', tokens);
  runner.share(
    'next',
    tokens.map((token) => (token + 1) % classes),
  );
  const b = new GraphBuilder('sequence');
  b.input('tokens', 'int64', ['N', 'T']);
  const embedded = b.op('Gather', [b.weight('embedding', [classes, 12]), 'tokens']);
  b.output(b.op('MatMul', [embedded, b.weight('out', [12, classes])]), 'logits');
  const whole = { rowDims: [length], dtype: 'int64' } as const;
  const rows: SharedRows = {
    count: COUNT,
    inputs: [{ ...whole, name: 'tokens', array: 'tokens' }],
    target: { ...whole, name: 'target', array: 'next' },
  };
  const recipe = { batch: 16, learningRate: 0.05 };
  const evaluation = { data: rows, everyEpochs: 5 };
  const { result, reports } = await train({
    graph: b.build(),
    recipe,
    data: rows,
    epochs: 15,
    evaluation,
  });
  expect(result.evaluations.at(-1)?.accuracy).toBe(1);
  expect(reports.at(-1)?.accuracy).toBeGreaterThan(0.95);
  expect(reports[0]?.accuracy).toBeLessThan(0.6);
});

describe('accumulation', () => {
  test.each(['sgd', 'adamw'] as const)(
    'four batches of 8 are one of 32 (%s)',
    async (optimizer) => {
      const recipe = { ...base.recipe, optimizer, weightDecay: 0.01, clipNorm: 0.5 };
      const whole = await train({ recipe: { ...recipe, batch: 32 } });
      const parts = await train({ recipe: { ...recipe, batch: 8, accumulate: 4 } });
      expect(parts.result.steps).toBe(whole.result.steps);
      expectClose(parts.result, whole.result, 1e-5);
      parts.result.losses.forEach((loss, i) => {
        expect(loss).toBeCloseTo(whole.result.losses[i] as number, 4);
      });
    },
  );

  test('the running mean moves with updates, not with batches', async () => {
    const recipe = { ...base.recipe, ema: 0.9 };
    const whole = await train({ recipe: { ...recipe, batch: 32 } });
    const parts = await train({ recipe: { ...recipe, batch: 8, accumulate: 4 } });
    expectClose(parts.result, whole.result, 1e-5);
  });
});

/** The vector of matrices in a checkpoint, after its update. */
const weightsIn = (checkpoint: Uint8Array): Float32Array =>
  decodeModel(checkpoint).initializers.find(({ name }) => name === 'state.0')?.data as Float32Array;

test('the running mean of the weights is the bias-corrected one', async () => {
  const decay = 0.8;
  const recipe = { ...base.recipe, ema: decay };
  const { result, checkpoints } = await train({ recipe, checkpoint: { everyEpochs: 1e-3 } });
  expect(checkpoints).toHaveLength(result.steps);
  let sum = new Float64Array(FEATURES * 16 + 16);
  for (const checkpoint of checkpoints) {
    const current = weightsIn(checkpoint);
    sum = sum.map((s, i) => decay * s + (1 - decay) * (current[i] as number));
  }
  const wanted = sum.map((s) => s / (1 - decay ** checkpoints.length));
  const { w1 = [], w2 = [] } = result.weights;
  [...w1, ...w2].forEach((v, i) => {
    expect(v).toBeCloseTo(wanted[i] as number, 5);
  });
  const raw = await train();
  expect(raw.result.losses).toEqual(result.losses);
  expect(raw.result.weights).not.toEqual(result.weights);
});

describe('checkpoints', () => {
  const recipe = { ...base.recipe, ema: 0.9, accumulate: 2, batch: 8 };
  const evaluation = { data, everyEpochs: 1, patience: 9 };
  const args = { recipe, evaluation };

  test('a training that goes on ends as one that never stopped, bit for bit', async () => {
    const whole = await train({ ...args, checkpoint: { everyEpochs: 1 } });
    expect(whole.checkpoints).toHaveLength(4);
    for (const resume of whole.checkpoints) {
      const rest = await train({ ...args, checkpoint: { everyEpochs: 1, resume } });
      expect(rest.result).toEqual({ ...whole.result, seconds: rest.result.seconds });
    }
  });

  test('and saving them changes nothing', async () => {
    const plain = await train(args);
    const saved = await train({ ...args, checkpoint: { everyEpochs: 0.3 } });
    expect(saved.result.weights).toEqual(plain.result.weights);
  });

  test('one of another training is refused, with what differs', async () => {
    const { checkpoints } = await train({ ...args, checkpoint: { everyEpochs: 2 } });
    const [resume] = checkpoints as [Uint8Array];
    const checkpoint = { everyEpochs: 2, resume };
    await expect(train({ ...args, checkpoint, seed: 6, epochs: 5 })).rejects.toThrow(
      /expected one of this training, received one with another model, seed, epochs/,
    );
    const other = { ...recipe, learningRate: 0.1 };
    await expect(train({ ...args, checkpoint, recipe: other })).rejects.toThrow(/another recipe/);
  });
});

describe('early stopping', () => {
  const target = column('target', 'noise', [1]);

  test('ends where the loss on other rows falls no more, with the weights of the lowest', async () => {
    const evaluation = { data: { ...data, target }, everyEpochs: 1, patience: 3 };
    const { result, reports } = await train({ epochs: 100, evaluation });
    expect(result.planned).toBe(600);
    expect(result.steps).toBeLessThan(600);
    const { evaluations } = result;
    const losses = evaluations.map(({ loss }) => loss);
    const best = losses.indexOf(Math.min(...losses));
    expect(losses).toHaveLength(best + 1 + 3);
    expect(evaluations[0]).toMatchObject({ step: 6, epoch: 1 });
    expect(reports.filter((one) => one.evaluation !== undefined)).toHaveLength(losses.length);
    const kept = await train({ epochs: 100, evaluation: { ...evaluation, patience: 1 } });
    expect(kept.result.evaluations.length).toBeLessThanOrEqual(losses.length);
    const again = await runner.call<{ loss: number }>({
      module,
      name: 'evaluateTask',
      args: {
        graph: {
          ...base.graph,
          initializers: base.graph.initializers.map((one) => ({
            ...one,
            data: result.weights[one.name],
          })),
        },
        data: evaluation.data,
        threads: 1,
        loss: { loss: 'mse', labelSmoothing: 0, huberDelta: 1 },
      },
    });
    expect(again.loss).toBe(losses[best]);
  });

  test('without patience all updates are done', async () => {
    const evaluation = { data: { ...data, target }, everyEpochs: 2 };
    const { result } = await train({ epochs: 5, evaluation });
    expect(result.steps).toBe(30);
    expect(result.evaluations.map(({ step }) => step)).toEqual([12, 24, 30]);
  });
});

test('random changes of images follow the seed, through a stop too', async () => {
  const labels = Uint8Array.from({ length: COUNT }, (_, i) => i % 3);
  const images = Uint8Array.from({ length: COUNT * 36 }, (_, i) => (i * 37) % 251);
  runner.share('images', images);
  runner.share('labels', labels);
  const b = new GraphBuilder('images');
  b.input('image', 'float32', ['N', 1, 6, 6]);
  b.output(b.op('Gemm', [b.op('Flatten', ['image']), b.weight('w', [36, 3])]), 'logits');
  const shape = { channels: 1, height: 6, width: 6, mean: [0.5], std: [0.3] };
  const pixels = { images: 'images', labels: 'labels', count: COUNT, ...shape };
  const recipe = { batch: 8, learningRate: 0.01, mixup: 0.4, crop: 1, flip: true, cutout: 2 };
  const args = { graph: b.build(), data: pixels, recipe };
  const whole = await train({ ...args, checkpoint: { everyEpochs: 1 } });
  const resume = whole.checkpoints[1] as Uint8Array;
  const rest = await train({ ...args, checkpoint: { everyEpochs: 1, resume } });
  expect(rest.result.losses).toEqual(whole.result.losses);
  expect(rest.result.weights).toEqual(whole.result.weights);
  const still = await train({ ...args, recipe: { batch: 8, learningRate: 0.01 } });
  expect(still.result.losses[0]).not.toEqual(whole.result.losses[0]);
  const mixed = { ...base.recipe, mixup: 0.4 };
  await expect(train({ recipe: mixed })).rejects.toThrow(/mixup: expected class numbers/);
});

test('16-bit training is refused in one line', async () => {
  const recipe = { ...base.recipe, precision: 'bfloat16' } as const;
  await expect(train({ recipe })).rejects.toThrow(
    /recipe.precision: expected float32 on the CPU.*received bfloat16$/,
  );
});
