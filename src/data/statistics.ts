/** What is computed of a dataset's bytes: normalisation constants and the fingerprint. */
import { createHash } from 'node:crypto';
import type { Dataset, Split } from './data.js';

export interface PixelStatistics {
  /** Per channel, of pixel/255. */
  readonly mean: readonly number[];
  /** Per channel, of pixel/255; population form (divided by the number of pixels). */
  readonly std: readonly number[];
}

/** Exact up to the last division: the sums are of integers, far below 2^53. */
export function computePixelStatistics(split: Split, channels: number): PixelStatistics {
  const pixels = split.images.length / split.count / channels;
  const samples = split.count * pixels;
  const sums = new Array<number>(channels).fill(0);
  const squares = new Array<number>(channels).fill(0);
  for (let plane = 0; plane < split.count * channels; plane++) {
    let sum = 0;
    let square = 0;
    for (let i = plane * pixels; i < (plane + 1) * pixels; i++) {
      const pixel = split.images[i] as number;
      sum += pixel;
      square += pixel * pixel;
    }
    const channel = plane % channels;
    sums[channel] = (sums[channel] as number) + sum;
    squares[channel] = (squares[channel] as number) + square;
  }
  const mean = sums.map((sum) => sum / samples);
  const std = squares.map((square, channel) => {
    const average = mean[channel] as number;
    return Math.sqrt(Math.max(0, square / samples - average * average));
  });
  return {
    mean: Object.freeze(mean.map((value) => value / 255)),
    std: Object.freeze(std.map((value) => value / 255)),
  };
}

/** SHA-256 of class names, dimensions and splits; the dataset's name does not count. */
export function computeFingerprint(
  dataset: Pick<
    Dataset,
    'classes' | 'channels' | 'height' | 'width' | 'train' | 'search' | 'hidden'
  >,
): string {
  const { classes, channels, height, width } = dataset;
  const splits = [dataset.train, dataset.search, dataset.hidden];
  const counts = splits.map((split) => split.count);
  const hash = createHash('sha256');
  hash.update(JSON.stringify({ classes, channels, height, width, counts }));
  for (const split of splits) hash.update(split.images).update(split.labels);
  return hash.digest('hex');
}
