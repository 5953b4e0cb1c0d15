/**
 * Labelled image sets, cut into three splits: candidates learn from `train`, agents are scored on
 * `search`, and `hidden` is opened once, for the champions. Everything is a function of the files
 * and the seed: the same spec gives the same bytes on every machine, and `fingerprint` shows it.
 */
import { readCifar } from './cifar.js';
import { loadGlyphs } from './glyphs.js';
import { readIdx } from './idx.js';
import { splitPublished } from './published.js';

/** Part of a dataset: `count` images, stored as bytes. */
export interface Split {
  readonly count: number;
  /** [count, channels, height, width], row-major, 0 … 255. */
  readonly images: Uint8Array;
  /** [count], each 0 … classes − 1. */
  readonly labels: Uint8Array;
}

/** Images as stored bytes with their labels; the class at index i is the one labelled i. */
export interface Dataset {
  readonly name: string;
  readonly classes: readonly string[];
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly train: Split;
  readonly search: Split;
  readonly hidden: Split;
  /** Per-channel mean of pixel/255 over the train split. */
  readonly mean: readonly number[];
  /** Per-channel standard deviation of pixel/255 over the train split; never 0. */
  readonly std: readonly number[];
  /** SHA-256 (hex) of class names, dimensions and all bytes of the three splits. */
  readonly fingerprint: string;
}

/** How many images each split holds, and the seed of their choice. */
export interface SplitOptions {
  /** Images to train on; of published files a stratified subset. Default: all that are left. */
  readonly train?: number;
  /** Images held out of the training files. Default 5,000. */
  readonly search?: number;
  /** Images of the hidden split; of published files a stratified subset of the test files. Default: all. */
  readonly hidden?: number;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * - `glyphs`: generated, no files (default 12,000 train, 4,000 search and 4,000 hidden images).
 * - `idx`: a folder with the four files of MNIST, Fashion-MNIST or another set of 10 classes
 *   published in the same form, gzipped or not.
 * - `cifar10`: a folder with `data_batch*.bin` (or `train*.bin`), `test*.bin`, `batches.meta.txt`.
 */
export type DataSpec =
  | ({ readonly kind: 'glyphs' } & SplitOptions)
  | ({ readonly kind: 'idx'; readonly dir: string } & SplitOptions)
  | ({ readonly kind: 'cifar10'; readonly dir: string } & SplitOptions);

/** Throws `UsageError`, in one line, on files that are missing or broken and on impossible sizes. */
export async function loadDataset(spec: DataSpec): Promise<Dataset> {
  switch (spec.kind) {
    case 'glyphs':
      return loadGlyphs(spec);
    case 'idx':
      return splitPublished(await readIdx(spec.dir), spec);
    case 'cifar10':
      return splitPublished(await readCifar(spec.dir), spec);
  }
}
