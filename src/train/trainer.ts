/**
 * Training and scoring as tasks of a runner: `trainTask` and `evaluateTask` run in a worker thread of
 * the runner process and get plain data; images come from arrays that the runner shares. Both are
 * exports of this module, which `trainerModule` names.
 */
import { UsageError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import { withData } from '../ir/graph.js';
import { encodeModel } from '../ir/onnx/encode.js';
import type { HostTensor } from '../runtime/binding-types.js';
import type { TaskContext } from '../runtime/runner-protocol.js';
import { Session } from '../runtime/session.js';
import { Rng } from '../util/random.js';
import { drawWeights } from './initialize.js';
import { type Recipe, resolveRecipe } from './recipe.js';
import { cosineSchedule } from './schedule.js';
import { affineOf, type SharedImages } from './shared-images.js';
import { createTrainingStep, packState, type TrainingStep, unpackState } from './step.js';

export { evaluateTask } from './evaluate.js';

/** Module URL for `runner.call({ module, name, args })`, for `trainTask` and `evaluateTask`. */
export const trainerModule = import.meta.url;

export interface TrainArgs {
  /** Deployment graph. Weights without data are drawn from the seed, others are trained on. */
  readonly graph: Graph;
  readonly recipe: Recipe;
  readonly data: SharedImages;
  /** Length of the training: of whole and partial epochs, at least one step. */
  readonly epochs: number;
  readonly seed: number | string;
  readonly threads: number;
}

/** What `context.progress` gets during training. */
export interface TrainProgress {
  readonly step: number;
  readonly steps: number;
  /** Mean over the steps since the last report. */
  readonly loss: number;
  /** Share of right answers over the same steps. */
  readonly accuracy: number;
}

/** Where training was given up: the loss was not finite, or far above where it began. */
export interface Divergence {
  /** Counted from 0. */
  readonly step: number;
  readonly loss: number;
}

export interface TrainResult {
  /** Final value of each weight and running statistic, by name. */
  readonly weights: Readonly<Record<string, Float32Array>>;
  /** Mean loss of each step's batch. */
  readonly losses: Float32Array;
  readonly steps: number;
  /** Time in the steps themselves. */
  readonly seconds: number;
  readonly diverged?: Divergence;
}

/** A loss this many times the first one (or chance level) is an explosion. */
const EXPLOSION_FACTOR = 10;
/** Steps between two reports. */
const CHUNK_STEPS = 100;

/** Trains a graph. Throws `UsageError` for a graph or data that cannot be trained. */
export async function trainTask(args: TrainArgs, context: TaskContext): Promise<TrainResult> {
  const recipe = resolveRecipe(args.recipe);
  const rng = new Rng(args.seed);
  const graph = drawWeights(args.graph, rng.fork('weights'));
  const step = createTrainingStep(graph, recipe);
  const { data } = args;
  checkImages(step, data);
  const stepsPerEpoch = Math.floor(data.count / recipe.batch);
  const steps = Math.max(1, Math.round(args.epochs * stepsPerEpoch));
  const rates = cosineSchedule(steps, recipe.learningRate, recipe.warmupFraction);
  const order = drawOrder(rng.fork('order'), data.count, recipe.batch, steps);
  const session = await Session.create(encodeModel(step.graph), {
    threads: args.threads,
    optimization: 'all',
    provider: 'cpu',
  });
  try {
    const losses = new Float32Array(steps);
    let state: readonly HostTensor[] = packState(step, graph);
    let limit = Number.POSITIVE_INFINITY;
    let done = 0;
    let wallNs = 0;
    let diverged: Divergence | undefined;
    while (done < steps && diverged === undefined) {
      // The first step stands alone: its loss sets the limit for all others.
      const count = done === 0 ? 1 : Math.min(CHUNK_STEPS, steps - done);
      const result = await session.runLoop({
        batch: recipe.batch,
        order: order.subarray(done * recipe.batch, (done + count) * recipe.batch),
        stream: streamOf(step, data, context),
        state: step.state.map(({ name, next }, i) => ({
          name,
          next,
          value: state[i] as HostTensor,
        })),
        perStep: step.perStep(rates.subarray(done, done + count), done),
        record: step.record,
        limit,
      });
      const [loss, correct] = result.recorded as readonly [Float32Array, Float32Array];
      losses.set(loss, done);
      state = result.state;
      done += result.steps;
      wallNs += result.wallNs;
      const last = loss[result.steps - 1] as number;
      if (limit === Number.POSITIVE_INFINITY) {
        limit = EXPLOSION_FACTOR * Math.max(last, Math.log(step.classes));
      }
      if (result.stopped === 'limit') diverged = { step: done - 1, loss: last };
      const right = average(correct.subarray(0, result.steps)) / recipe.batch;
      const mean = average(loss.subarray(0, result.steps));
      context.progress({ step: done, steps, loss: mean, accuracy: right } satisfies TrainProgress);
    }
    const weights = unpackState(step, state);
    const finite = [...weights.values()].every((values) => values.every(Number.isFinite));
    if (!finite) diverged ??= { step: done - 1, loss: Number.NaN };
    return {
      weights: Object.fromEntries(weights),
      losses: losses.slice(0, done),
      steps: done,
      seconds: wallNs / 1e9,
      ...(diverged === undefined ? {} : { diverged }),
    };
  } finally {
    session.release();
  }
}

/** The graph with the weights of a training. */
export function withWeights(graph: Graph, weights: TrainResult['weights']): Graph {
  return withData(graph, new Map(Object.entries(weights)));
}

function checkImages(step: TrainingStep, data: SharedImages): void {
  const row = [data.channels, data.height, data.width];
  if (row.join() !== step.image.rowDims.join()) {
    throw new UsageError(
      `data: expected images of [${step.image.rowDims}] for this graph, received [${row}]`,
    );
  }
  if (data.count < step.batch) {
    throw new UsageError(
      `data: expected at least one batch of ${step.batch} images, received ${data.count}`,
    );
  }
}

/** Row numbers of all steps: a new shuffle each epoch, without the rest that fills no batch. */
function drawOrder(rng: Rng, count: number, batch: number, steps: number): Uint32Array {
  const order = new Uint32Array(steps * batch);
  const rows = Array.from({ length: count }, (_, i) => i);
  const perEpoch = Math.floor(count / batch) * batch;
  for (let from = 0, epoch = 0; from < order.length; from += perEpoch, epoch++) {
    const shuffled = rng.fork(epoch).shuffle(rows);
    order.set(shuffled.slice(0, Math.min(perEpoch, order.length - from)), from);
  }
  return order;
}

function streamOf(step: TrainingStep, data: SharedImages, context: TaskContext) {
  return [
    {
      name: step.image.name,
      rowDims: step.image.rowDims,
      dtype: 'float32' as const,
      source: context.shared(data.images) as Uint8Array,
      ...affineOf(data),
    },
    {
      name: step.label,
      rowDims: [],
      dtype: 'int64' as const,
      source: context.shared(data.labels) as Uint8Array,
    },
  ];
}

function average(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
