/** Images that a runner shares with its tasks, and their normalisation. */
import type { Dataset } from '../data/data.js';
import type { HostTensor } from '../runtime/binding-types.js';
import type { Runner } from '../runtime/runtime.js';
import { readRows } from './column.js';

/** Images and labels as the runner shares them. */
export interface SharedImages {
  /** Name of a Uint8Array [count, channels, height, width]. */
  readonly images: string;
  /** Name of a Uint8Array [count]. */
  readonly labels: string;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Per channel, of pixel/255; pixels are normalised to (pixel/255 − mean)/std. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export type SplitName = 'train' | 'search' | 'hidden';

/** Gives a runner the images and labels of all splits, under the names that `sharedSplit` uses. */
export function shareDataset(runner: Runner, dataset: Dataset): void {
  for (const split of ['train', 'search', 'hidden'] as const) {
    runner.share(`${split}.images`, dataset[split].images);
    runner.share(`${split}.labels`, dataset[split].labels);
  }
}

/** A split of a data set that `shareDataset` has given to the runner. */
export function sharedSplit(dataset: Dataset, split: SplitName): SharedImages {
  const { channels, height, width, mean, std } = dataset;
  const { count } = dataset[split];
  const [images, labels] = [`${split}.images`, `${split}.labels`];
  return { images, labels, count, channels, height, width, mean, std };
}

/** (pixel/255 − mean)/std as pixel·scale + shift. */
export function affineOf(data: SharedImages): { scale: Float32Array; shift: Float32Array } {
  return {
    scale: Float32Array.from(data.std, (std) => 1 / (255 * std)),
    shift: Float32Array.from(data.std, (std, c) => -(data.mean[c] as number) / std),
  };
}

/** `rows` images from row `from` on, normalised: float32 [rows, channels, height, width]. */
export function normalizedRows(
  data: SharedImages,
  images: Uint8Array,
  from: number,
  rows: number,
): HostTensor {
  const rowDims = [data.channels, data.height, data.width];
  return readRows({ dtype: 'float32', rowDims, ...affineOf(data) }, images, from, rows);
}
