/** What a model is run on when it is calibrated or scored: images of a data set, or random inputs. */
import type { Dataset } from '../data/data.js';
import { UsageError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import { type GivenSizes, resolveInputs } from '../measure/dims.js';
import { createInputSets, type InputDims } from '../measure/inputs.js';
import type { Feeds, Runner, Session, TaskContext } from '../runtime/runtime.js';
import {
  normalizedRows,
  type SharedImages,
  shareDataset,
  sharedSplit,
} from '../train/shared-images.js';
import { Rng } from '../util/random.js';

/** Images, and how the model wants them. */
export interface ImageData {
  readonly dataset: Dataset;
  /** Per channel, of pixel/255; the model was trained on (pixel/255 − mean)/std. Default: the data's. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
}

/** Inputs as they travel to a task. */
export type TrialInputs =
  | {
      readonly kind: 'random';
      readonly dims: InputDims;
      readonly sets: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'images';
      /** Name of the model's input. */
      readonly input: string;
      readonly data: SharedImages;
      /** Images per run. */
      readonly rows: number;
      readonly runs: number;
    };

/** One run's inputs; labels where they are known. */
export interface Batch {
  readonly feeds: Feeds;
  readonly labels?: ArrayLike<number | bigint>;
}

/** Images per run of a model that leaves it open, at most. */
const OPEN_BATCH = 32;

export interface TrialOptions extends GivenSizes {
  /** Absent: random inputs. */
  readonly data?: ImageData;
  /** Images at most. */
  readonly images: number;
  /** Runs on random inputs. */
  readonly sets: number;
  readonly seed: number;
}

/**
 * Inputs for `graph`. Of a data set the `train` split serves calibration, the `hidden` one (the test
 * files) scoring. Gives the runner the images. Throws `UsageError` where they do not fit the model.
 */
export function createTrialInputs(
  runner: Runner,
  graph: Graph,
  purpose: 'calibrate' | 'score',
  { data, images, sets, seed, ...given }: TrialOptions,
): TrialInputs {
  if (data === undefined) {
    return { kind: 'random', dims: resolveInputs(graph, given).dims, sets, seed };
  }
  const { input, batch } = imageInput(graph, data.dataset);
  shareDataset(runner, data.dataset);
  const split = sharedSplit(data.dataset, purpose === 'calibrate' ? 'train' : 'hidden');
  const { channels } = data.dataset;
  const normalized = {
    ...split,
    mean: perChannel('mean', data.mean, channels) ?? split.mean,
    std: perChannel('std', data.std, channels) ?? split.std,
  };
  const count = Math.min(images, split.count);
  const rows = batch ?? largestDivisor(count, OPEN_BATCH);
  return {
    kind: 'images',
    input,
    data: normalized,
    rows,
    runs: Math.max(1, Math.floor(count / rows)),
  };
}

/** The batches of `inputs`, for a session in a task. Images are taken evenly over the split. */
export function* batchesOf(
  session: Session,
  inputs: TrialInputs,
  context: TaskContext,
): Generator<Batch> {
  if (inputs.kind === 'random') {
    const sets = createInputSets(session.inputs, inputs.dims, inputs.sets, new Rng(inputs.seed));
    for (const feeds of sets) yield { feeds };
    return;
  }
  const { input, data, rows, runs } = inputs;
  const images = context.shared(data.images) as Uint8Array;
  const labels = context.shared(data.labels);
  const stride = Math.floor(data.count / rows / runs) * rows;
  for (let run = 0; run < runs; run++) {
    const from = run * stride;
    yield {
      feeds: { [input]: normalizedRows(data, images, from, rows) },
      labels: labels.subarray(from, from + rows),
    };
  }
}

/** The largest divisor of `count` that is not above `most`, so that no image is left out. */
function largestDivisor(count: number, most: number): number {
  let divisor = Math.min(most, count);
  while (count % divisor !== 0) divisor--;
  return divisor;
}

/**
 * The model's one input for images of the data set, and its batch where that is fixed. Throws
 * `UsageError` where the images do not fit.
 */
export function imageInput(
  graph: Graph,
  dataset: Dataset,
): { input: string; batch: number | undefined } {
  const { name, channels, height, width } = dataset;
  const wanted = `one float32 input [N, ${channels}, ${height}, ${width}], as the images of ${name}`;
  const [input, ...others] = graph.inputs;
  const shape = input?.shape;
  const fits =
    others.length === 0 &&
    input?.dtype === 'float32' &&
    shape?.length === 4 &&
    [channels, height, width].every((size, i) => {
      const dim = shape[i + 1];
      return typeof dim === 'string' || dim === size;
    });
  if (!fits || input === undefined) {
    const received = graph.inputs
      .map(({ name: n, dtype, shape: s }) => `${n} ${dtype}[${s?.join(', ') ?? '…'}]`)
      .join(', ');
    throw new UsageError(`graph ${graph.name}: expected ${wanted}; received ${received || 'none'}`);
  }
  const batch = shape?.[0];
  return { input: input.name, batch: typeof batch === 'number' ? batch : undefined };
}

function perChannel(
  what: 'mean' | 'std',
  values: readonly number[] | undefined,
  channels: number,
): readonly number[] | undefined {
  if (values === undefined || values.length === channels) return values;
  if (values.length === 1) return new Array<number>(channels).fill(values[0] as number);
  throw new UsageError(
    `${what}: expected 1 number or ${channels}, one per channel, received ${values.length}`,
  );
}
