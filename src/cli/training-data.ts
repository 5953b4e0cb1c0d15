/** What `archwright train` learns from: images, arrays, tables, text; told by what the path holds. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { type ArrayColumn, type ArrayDataset, loadArrays } from '../data/arrays.js';
import { loadDataset } from '../data/data.js';
import { loadText } from '../data/text.js';
import { UsageError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import type { Runner } from '../runtime/runtime.js';
import type { LossName } from '../train/loss/loss.js';
import { shareArrays, type TargetElement } from '../train/shared-arrays.js';
import { type SplitName, shareDataset, sharedSplit } from '../train/shared-images.js';
import type { SharedData } from '../train/shared-rows.js';
import { dataSpecOf } from './data-options.js';

export interface TrainingData {
  readonly splits: Readonly<Record<SplitName, SharedData>>;
  /** Names by class number, where the data has them. */
  readonly classes?: readonly string[];
  /** What a file that was trained on it should say of its inputs. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface TrainingDataOptions {
  readonly loss: LossName;
  /** The user's own loss. */
  readonly lossGraph?: Graph;
  /** Characters per row of a text. */
  readonly sequence?: number;
}

/** Loads the data for a model and gives it to the runner. Throws `UsageError` where it does not fit. */
export async function openTrainingData(
  runner: Runner,
  path: string,
  graph: Graph,
  options: TrainingDataOptions,
): Promise<TrainingData> {
  const dataset = await loadRows(path, graph, options);
  if (dataset === undefined) {
    const images = await loadDataset(dataSpecOf(path));
    shareDataset(runner, images);
    const split = (name: SplitName) => sharedSplit(images, name);
    return {
      splits: { train: split('train'), search: split('search'), hidden: split('hidden') },
      classes: images.classes,
      metadata: {
        'input.mean': JSON.stringify(images.mean),
        'input.std': JSON.stringify(images.std),
      },
    };
  }
  const typeOfTarget = (target: ArrayColumn) => targetType(options, target);
  const { classes } = dataset;
  return {
    splits: shareArrays(runner, dataset, graph, typeOfTarget),
    ...(classes && { classes }),
    metadata: {},
  };
}

async function loadRows(
  path: string,
  graph: Graph,
  { sequence }: TrainingDataOptions,
): Promise<ArrayDataset | undefined> {
  const inputs = graph.inputs.map(({ name }) => name);
  if (path.endsWith('.txt')) {
    const [input] = graph.inputs;
    if (input === undefined || inputs.length !== 1) {
      throw new UsageError(
        `${path}: expected a model with one input for text, received ${inputs.length}`,
      );
    }
    const length = input.shape?.[1];
    if (typeof length !== 'number' && sequence === undefined) {
      throw new UsageError(
        `--sequence: expected the length of a row for a model that leaves it open, received none`,
      );
    }
    return loadText(path, input.name, sequence ?? (length as number));
  }
  if (path.endsWith('.csv')) return loadArrays(path, inputs);
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const hasArrays = isFolder && readdirSync(path).some((file) => file.endsWith('.npy'));
  return hasArrays ? loadArrays(path, inputs) : undefined;
}

/** Class numbers for cross-entropy, unless each row has floats; values for all other losses. */
function targetType(
  { loss, lossGraph }: TrainingDataOptions,
  { dtype, rowDims }: ArrayColumn,
): TargetElement {
  if (loss === 'cross-entropy') {
    return dtype.startsWith('float') && rowDims.length > 0 ? 'float32' : 'int64';
  }
  const own = lossGraph?.inputs.find(({ name }) => name === 'target')?.dtype;
  return own === 'int64' ? 'int64' : 'float32';
}
