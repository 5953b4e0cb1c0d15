/** Training of a model file: what `archwright train` does, as a function. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Device } from '../device/device.js';
import { createDevice } from '../device/ort.js';
import { ArchwrightError, UsageError } from '../errors.js';
import { writeDurably } from '../evaluate/artifacts.js';
import { type Graph, withGraph } from '../ir/graph.js';
import { decodeModel } from '../ir/onnx/decode.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { type AdoptedModel, adoptModel } from '../train/adopt.js';
import type { Evaluation } from '../train/early-stopping.js';
import type { EvaluateArgs, EvaluateResult } from '../train/evaluate.js';
import { type ResolvedRecipe, resolveRecipe } from '../train/recipe.js';
import {
  type TrainArgs,
  type TrainCheckpoint,
  type TrainProgress,
  type TrainResult,
  trainerModule,
  withWeights,
} from '../train/trainer.js';
import { elementCount } from '../util/tensor.js';
import { drawLearningCurve } from './learning-curve.js';
import { readModel } from './model-file.js';
import { type RecipeFlags, recipeOf } from './recipe-options.js';
import { formatPercent } from './table.js';
import { openTrainingData, type TrainingData } from './training-data.js';

export interface TrainOptions extends RecipeFlags {
  /** Folder of IDX, CIFAR-10 or NumPy files, a .csv or .txt file, or `glyphs`. */
  readonly data: string;
  readonly out?: string;
  /** Default 3. */
  readonly epochs?: number;
  /** Default 0. */
  readonly seed?: number;
  readonly threads?: number;
  /** Bytes. */
  readonly memoryLimit?: number;
  readonly scratch?: boolean;
  readonly output?: string;
  readonly classes?: number;
  readonly freeze?: readonly string[];
  readonly sequence?: number;
  readonly evaluateEvery?: number;
  readonly patience?: number;
  readonly checkpoint?: string;
  readonly checkpointEvery?: number;
  readonly resume?: boolean;
  readonly plot?: string;
}

type Split = 'search' | 'hidden';

export interface TrainDocument {
  readonly schema: 'archwright.train/1';
  readonly model: string;
  /** What was done to the model before, a line each. */
  readonly notes: readonly string[];
  readonly recipe: ResolvedRecipe;
  /** Elements of the weights. */
  readonly parameters: { readonly trained: number; readonly frozen: number };
  /** Updates done, and planned. */
  readonly steps: number;
  readonly planned: number;
  readonly seconds: number;
  readonly curve: {
    /** Mean loss of each update's rows. */
    readonly losses: readonly number[];
    /** Scores on the search split during the training. */
    readonly evaluations: readonly Evaluation[];
  };
  /** Of the final weights. Loss without label smoothing; accuracy where targets are decisions. */
  readonly scores: Readonly<Record<Split, { readonly loss: number; readonly accuracy?: number }>>;
  readonly onnx: string | null;
  readonly checkpoint: string | null;
  readonly plot: string | null;
}

/**
 * Trains the model in `path` and scores it; the weights of the file are the beginning. `report` gets a
 * line now and then. Throws `UsageError` for what cannot be trained.
 */
export async function trainModel(
  path: string,
  options: TrainOptions,
  report: (line: string) => void = () => {},
): Promise<TrainDocument> {
  const { recipe: given, lossFile } = recipeOf(options);
  const recipe = resolveRecipe(given);
  const { loss } = recipe;
  const lossGraph =
    lossFile === undefined ? undefined : decodeModel(await readModel(lossFile), lossFile);
  const resume = await readCheckpoint(options);
  const model = adoptModel(decodeModel(await readModel(path), path), {
    loss,
    freeze: options.freeze ?? [],
    scratch: options.scratch === true,
    ...(options.output !== undefined && { output: options.output }),
    ...(options.classes !== undefined && { classes: options.classes }),
  });
  const { graph } = model;
  const { threads: cores } = options;
  const device = createDevice(cores === undefined ? {} : { threads: cores });
  const { threads } = device;
  try {
    const data = await openTrainingData(device.runner, options.data, graph, {
      loss,
      ...(lossGraph && { lossGraph }),
      ...(options.sequence !== undefined && { sequence: options.sequence }),
    });
    const args: TrainArgs = {
      graph,
      recipe: given,
      data: data.splits.train,
      epochs: options.epochs ?? 3,
      seed: options.seed ?? 0,
      threads,
      ...(options.memoryLimit !== undefined && { memoryLimitBytes: options.memoryLimit }),
      ...(lossGraph && { lossGraph }),
      ...evaluationOf(options, data),
      ...(options.checkpoint !== undefined && {
        checkpoint: { everyEpochs: options.checkpointEvery ?? 1, ...(resume && { resume }) },
      }),
    };
    const result = await train(device, args, options.checkpoint, report);
    const trained = withWeights(graph, result.weights);
    const spec = { ...recipe, ...(lossGraph && { graph: lossGraph }) };
    const score = async (split: Split) => {
      const call: EvaluateArgs = { graph: trained, data: data.splits[split], threads, loss: spec };
      const task = { module: trainerModule, name: 'evaluateTask', args: call };
      const { loss: mean, accuracy } = await device.lease(() =>
        device.runner.call<EvaluateResult>(task),
      );
      return { loss: mean, ...(accuracy !== undefined && { accuracy }) };
    };
    const scores = { search: await score('search'), hidden: await score('hidden') };
    const curve = { losses: Array.from(result.losses), evaluations: result.evaluations };
    if (options.out !== undefined) {
      await writeDurably(options.out, encodeModel(shippedOf(model, result, data, recipe)));
    }
    if (options.plot !== undefined) {
      await writeDurably(options.plot, drawLearningCurve({ title: path, ...curve }));
    }
    return {
      schema: 'archwright.train/1',
      model: path,
      notes: model.notes,
      recipe,
      parameters: countWeights(model, result),
      steps: result.steps,
      planned: result.planned,
      seconds: result.seconds,
      curve,
      scores,
      onnx: options.out ?? null,
      checkpoint: options.checkpoint ?? null,
      plot: options.plot ?? null,
    };
  } finally {
    await device.close();
  }
}

async function readCheckpoint(options: TrainOptions): Promise<Uint8Array | undefined> {
  const { checkpoint: path, resume = false } = options;
  if (path === undefined) {
    if (!resume && options.checkpointEvery === undefined) return undefined;
    throw new UsageError('--resume and --checkpoint-every: expected --checkpoint <file> with them');
  }
  const exists = existsSync(path);
  if (exists && !resume) {
    throw new UsageError(
      `--checkpoint: expected a file that is not there yet, received ${path}; ` +
        '--resume goes on from it',
    );
  }
  if (resume && !exists) {
    throw new UsageError(`--resume: expected a checkpoint at ${path}, found none`);
  }
  return resume ? new Uint8Array(await readFile(path)) : undefined;
}

function evaluationOf(
  { evaluateEvery, patience, plot }: TrainOptions,
  { splits }: TrainingData,
): Pick<TrainArgs, 'evaluation'> {
  if (evaluateEvery === undefined && patience === undefined && plot === undefined) return {};
  return {
    evaluation: {
      data: splits.search,
      everyEpochs: evaluateEvery ?? 1,
      ...(patience !== undefined && { patience }),
    },
  };
}

async function train(
  device: Device,
  args: TrainArgs,
  checkpoint: string | undefined,
  report: (line: string) => void,
): Promise<TrainResult> {
  // Files are written one after the other, the last one before the training counts as done.
  let written = Promise.resolve();
  const onProgress = (value: unknown): void => {
    const message = value as TrainProgress | TrainCheckpoint;
    if ('checkpoint' in message) {
      written = written.then(() => writeDurably(checkpoint as string, message.checkpoint));
    } else report(describe(message));
  };
  const task = { module: trainerModule, name: 'trainTask', args };
  const result = await device.lease(() => device.runner.call<TrainResult>(task, { onProgress }));
  await written;
  if (result.diverged === undefined) return result;
  const { step, loss } = result.diverged;
  throw new ArchwrightError(
    `training diverged at step ${step}: the loss became ${loss}; lower the learning rate`,
  );
}

function describe({ step, steps, loss, accuracy, evaluation }: TrainProgress): string {
  const parts = (mean: number, share: number | undefined) =>
    `loss ${mean.toFixed(4)}${share === undefined ? '' : `, accuracy ${formatPercent(share)}`}`;
  const scored =
    evaluation === undefined ? '' : `; search ${parts(evaluation.loss, evaluation.accuracy)}`;
  return `step ${step} of ${steps}: ${parts(loss, accuracy)}${scored}`;
}

/** The owner's form with the new weights, and what it says of its inputs and classes. */
function shippedOf(
  { own, activation }: AdoptedModel,
  { weights }: TrainResult,
  { classes, metadata }: TrainingData,
  { loss }: ResolvedRecipe,
): Graph {
  const trained = withWeights(own, weights);
  const kind = activation === 'Softmax' ? 'probabilities' : 'logits';
  const labels =
    loss === 'cross-entropy' && classes !== undefined
      ? { 'output.kind': kind, 'output.classes': JSON.stringify(classes) }
      : {};
  return withGraph(trained, { metadata: { ...trained.metadata, ...metadata, ...labels } });
}

function countWeights({ own }: AdoptedModel, { weights }: TrainResult) {
  let [trained, frozen] = [0, 0];
  for (const { name, role, dims } of own.initializers) {
    if (role !== 'weight') continue;
    if (Object.hasOwn(weights, name)) trained += elementCount(dims);
    else frozen += elementCount(dims);
  }
  return { trained, frozen };
}
