/** A step graph run over rows of the data in an order drawn beforehand, some updates at a time. */
import { UsageError } from '../errors.js';
import type { Augmentation, HostTensor, StreamInput } from '../runtime/binding-types.js';
import type { TaskContext } from '../runtime/runner-protocol.js';
import type { Session } from '../runtime/session.js';
import type { Rng } from '../util/random.js';
import { type SharedColumn, streamOf } from './column.js';
import type { ResolvedRecipe } from './recipe.js';
import type { SharedRows } from './shared-rows.js';
import type { TrainingStep } from './step.js';
import type { PerStep } from './update.js';

export interface LoopOptions {
  readonly session: Session;
  readonly step: TrainingStep;
  readonly rows: SharedRows;
  readonly recipe: ResolvedRecipe;
  /** Row numbers of all runs of the whole training. */
  readonly order: Uint32Array;
  /** Learning rate of each update. */
  readonly rates: Float32Array;
  /** Seed of the augmentation. */
  readonly seed: number;
  readonly context: TaskContext;
  /** Numbers for the model's own scalar inputs, one for each run of the stretch. */
  readonly scalars?: readonly PerStep[];
}

/** What some updates came to. */
export interface Stretch {
  readonly state: readonly HostTensor[];
  /** Mean loss of each update's rows. */
  readonly losses: Float32Array;
  /** Share of right decisions; absent where the targets are no decisions. */
  readonly accuracy?: number;
  readonly seconds: number;
  /** Whether it ended early: the last loss was not finite or above the limit. */
  readonly exploded: boolean;
}

/** Runs updates `first` … `first + count − 1` from `state` on, which they may overwrite. */
export async function runUpdates(
  { session, step, rows, recipe, order, rates, seed, context, scalars = [] }: LoopOptions,
  state: readonly HostTensor[],
  first: number,
  count: number,
  limit: number,
): Promise<Stretch> {
  const perUpdate = recipe.batch * step.runs;
  const augment = augmentationOf(recipe, step, seed, first * step.runs);
  const result = await session.runLoop({
    batch: recipe.batch,
    order: order.subarray(first * perUpdate, (first + count) * perUpdate),
    stream: streamsOf(step, rows, context),
    ...(augment && { augment }),
    state: step.state.map(({ name, next, inPlace }, i) => ({
      ...{ name, next, inPlace },
      value: state[i] as HostTensor,
    })),
    perStep: [...step.perStep(rates.subarray(first, first + count), first), ...scalars],
    record: step.record,
    limit,
  });
  const [losses, correct] = result.recorded as readonly [Float32Array, Float32Array | undefined];
  const decisions = result.steps * step.decisions;
  return {
    state: result.state,
    losses: meansOf(losses.subarray(0, result.steps), step.runs),
    ...(correct && { accuracy: sum(correct.subarray(0, result.steps)) / decisions }),
    seconds: result.wallNs / 1e9,
    exploded: result.stopped === 'limit',
  };
}

/** Row numbers of all updates: a new shuffle each epoch, without the rest that fills no update. */
export function drawOrder(
  rng: Rng,
  count: number,
  perUpdate: number,
  updates: number,
): Uint32Array {
  const order = new Uint32Array(updates * perUpdate);
  const rows = Array.from({ length: count }, (_, i) => i);
  const perEpoch = Math.floor(count / perUpdate) * perUpdate;
  for (let from = 0, epoch = 0; from < order.length; from += perEpoch, epoch++) {
    const shuffled = rng.fork(epoch).shuffle(rows);
    order.set(shuffled.slice(0, Math.min(perEpoch, order.length - from)), from);
  }
  return order;
}

/** Mean of each `size` values, the last of which may be fewer. */
function meansOf(values: Float32Array, size: number): Float32Array {
  return Float32Array.from({ length: Math.ceil(values.length / size) }, (_, i) => {
    const part = values.subarray(i * size, (i + 1) * size);
    return sum(part) / part.length;
  });
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

function streamsOf(step: TrainingStep, rows: SharedRows, context: TaskContext): StreamInput[] {
  const streams = step.inputs.map(({ name }, i) =>
    streamOf(rows.inputs[i] as SharedColumn, name, context),
  );
  if (step.target === undefined || rows.target === undefined) return streams;
  return [...streams, streamOf(rows.target, step.target.name, context)];
}

/** What the recipe asks for, or undefined for nothing. Throws `UsageError` where there are no images. */
function augmentationOf(
  recipe: ResolvedRecipe,
  step: TrainingStep,
  seed: number,
  firstStep: number,
): Augmentation | undefined {
  const { crop, flip, cutout, mixup } = recipe;
  if (crop === 0 && !flip && cutout === 0 && mixup === 0) return undefined;
  const [image] = step.inputs;
  if (image?.rowDims.length !== 3 || image.dtype !== 'float32' || step.inputs.length !== 1) {
    throw new UsageError(
      'recipe: crop, flip, cutout and mixup expected a model with one input of images [N, C, H, W]',
    );
  }
  const { mixed, target } = step;
  return {
    stream: image.name,
    seed,
    firstStep,
    ...(crop > 0 && { cropPixels: crop }),
    ...(flip && { flip }),
    ...(cutout > 0 && { cutoutPixels: cutout }),
    ...(mixed &&
      target && {
        mixup: {
          alpha: mixup,
          share: mixed.share,
          partners: [{ stream: target.name, input: mixed.labels }],
        },
      }),
  };
}
