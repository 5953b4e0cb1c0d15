import type { Command } from 'commander';
import { loadDataset } from '../../data/data.js';
import { createDevice } from '../../device/ort.js';
import { ArchwrightError, UsageError } from '../../errors.js';
import { writeDurably } from '../../evaluate/artifacts.js';
import { type Graph, withGraph } from '../../ir/graph.js';
import { decodeModel } from '../../ir/onnx/decode.js';
import { encodeModel } from '../../ir/onnx/encode.js';
import { deployGraph } from '../../train/deploy.js';
import type { ClassificationResult } from '../../train/evaluate.js';
import type { Recipe } from '../../train/recipe.js';
import { shareDataset, sharedSplit } from '../../train/shared-images.js';
import {
  type TrainProgress,
  type TrainResult,
  trainerModule,
  withWeights,
} from '../../train/trainer.js';
import { dataSpecOf } from '../data-options.js';
import { type OutputOptions, print } from '../output.js';
import { parsePositive, parseWhole } from '../parse.js';
import { formatDuration, formatPercent } from '../table.js';
import { readModel } from './bench.js';

interface TrainFlags extends OutputOptions {
  readonly data: string;
  readonly out?: string;
  readonly epochs: number;
  readonly optimizer?: string;
  readonly learningRate?: number;
  readonly batch?: number;
  readonly seed: number;
  readonly threads?: number;
  readonly scratch?: boolean;
}

/** `archwright train`. */
export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('train an ONNX image classifier')
    .argument('<model>', 'ONNX file: one image input [N, C, H, W], one output of logits')
    .requiredOption('--data <folder>', 'folder of IDX or CIFAR-10 files, or `glyphs`')
    .option('--out <file>', 'where to write the trained model')
    .option('--epochs <count>', 'length of the training', parsePositive('--epochs'), 3)
    .option('--optimizer <name>', 'sgd or adamw')
    .option('--learning-rate <rate>', 'highest learning rate', parsePositive('--learning-rate'))
    .option('--batch <count>', 'images per step', parseWhole('--batch', 2))
    .option('--seed <number>', 'seed of weights and order', parseWhole('--seed', 0), 0)
    .option('--threads <count>', 'threads (default: all cores)', parseWhole('--threads', 1))
    .option('--scratch', "draw new weights instead of going on from the file's")
    .option('--json', 'print one JSON document')
    .action(async (path: string, flags: TrainFlags) => {
      const result = await trainModel(path, flags);
      print(result, flags, (r) =>
        [
          `${r.model}: ${r.steps} steps in ${formatDuration(r.seconds)}, loss ${r.firstLoss.toFixed(4)} → ${r.lastLoss.toFixed(4)}`,
          `accuracy   search ${formatPercent(r.accuracy.search)}, hidden ${formatPercent(r.accuracy.hidden)}`,
          ...(r.onnx === null ? [] : [`written    ${r.onnx}`]),
        ].join('\n'),
      );
    });
}

/** Trains the classifier in `path` and scores it; the weights of the file are the beginning. */
export async function trainModel(path: string, flags: Omit<TrainFlags, 'json'>) {
  const decoded = decodeModel(await readModel(path), path);
  const graph = flags.scratch === true ? withoutWeights(decoded) : decoded;
  const dataset = await loadDataset(dataSpecOf(flags.data));
  const device = createDevice(flags.threads === undefined ? {} : { threads: flags.threads });
  const { threads, runner } = device;
  try {
    shareDataset(runner, dataset);
    const args = {
      graph,
      recipe: recipeOf(flags),
      data: sharedSplit(dataset, 'train'),
      epochs: flags.epochs,
      seed: flags.seed,
      threads,
    };
    const onProgress = (value: unknown): void => {
      const { step, steps, loss, accuracy } = value as TrainProgress;
      process.stderr.write(
        `step ${step} of ${steps}: loss ${loss.toFixed(4)}, accuracy ${formatPercent(accuracy ?? 0)}\n`,
      );
    };
    const task = { module: trainerModule, name: 'trainTask', args };
    const result = await device.lease(() => runner.call<TrainResult>(task, { onProgress }));
    if (result.diverged !== undefined) {
      const { step, loss } = result.diverged;
      throw new ArchwrightError(
        `training diverged at step ${step}: the loss became ${loss}; lower the learning rate`,
      );
    }
    const trained = deployGraph(withWeights(graph, result.weights), { classes: dataset.classes });
    const score = async (split: 'search' | 'hidden'): Promise<number> => {
      const data = sharedSplit(dataset, split);
      const call = {
        module: trainerModule,
        name: 'evaluateTask',
        args: { graph: trained, data, threads },
      };
      return (await device.lease(() => runner.call<ClassificationResult>(call))).accuracy;
    };
    const accuracy = { search: await score('search'), hidden: await score('hidden') };
    if (flags.out !== undefined) await writeDurably(flags.out, encodeModel(trained));
    return {
      schema: 'archwright.train/1',
      model: path,
      steps: result.steps,
      seconds: result.seconds,
      firstLoss: result.losses[0] as number,
      lastLoss: result.losses[result.steps - 1] as number,
      losses: Array.from(result.losses),
      accuracy,
      onnx: flags.out ?? null,
    };
  } finally {
    await device.close();
  }
}

function withoutWeights(graph: Graph): Graph {
  return withGraph(graph, {
    initializers: graph.initializers.map(({ data, ...rest }) =>
      rest.role === 'constant' && data !== undefined ? { ...rest, data } : rest,
    ),
  });
}

function recipeOf({ optimizer, learningRate, batch }: Omit<TrainFlags, 'json'>): Recipe {
  if (optimizer !== undefined && optimizer !== 'sgd' && optimizer !== 'adamw') {
    throw new UsageError(`--optimizer: expected sgd or adamw, received ${optimizer}`);
  }
  return {
    ...(optimizer !== undefined && { optimizer }),
    ...(learningRate !== undefined && { learningRate }),
    ...(batch !== undefined && { batch }),
  };
}
