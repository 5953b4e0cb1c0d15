/** Stratified choice: every part holds the classes in the proportion of the whole, to within one. */
import { InternalError } from '../errors.js';
import type { Rng } from '../util/random.js';
import type { Split } from './data.js';

/** How many images carry each label. */
export function countLabels(labels: Uint8Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

/**
 * Shares of `total` in proportion to `counts`, by largest remainder (ties go to the lower index);
 * they sum to `total`, and none exceeds its count while `total` does not exceed the sum.
 */
export function shareProportionally(counts: readonly number[], total: number): number[] {
  const sum = counts.reduce((a, b) => a + b, 0);
  const shares = counts.map((count) => Math.floor((total * count) / sum));
  const missing = total - shares.reduce((a, b) => a + b, 0);
  counts
    .map((count, index) => ({ index, remainder: (total * count) % sum }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index)
    .slice(0, missing)
    .forEach(({ index }) => {
      shares[index] = (shares[index] as number) + 1;
    });
  return shares;
}

/**
 * Disjoint index lists of the given sizes, each stratified and ascending. A list depends on the
 * sizes before it alone: capping the last one does not move the first.
 */
export function splitStratified(
  labels: Uint8Array,
  classes: number,
  sizes: readonly number[],
  rng: Rng,
): Uint32Array[] {
  if (sizes.reduce((a, b) => a + b, 0) > labels.length) {
    throw new InternalError(`splits of ${sizes.join(' + ')} images from ${labels.length}`);
  }
  const members = Array.from({ length: classes }, (): number[] => []);
  labels.forEach((label, index) => {
    members[label]?.push(index);
  });
  let left = members.map((indices, label) => rng.fork(label).shuffle(indices));
  return sizes.map((size) => {
    const shares = shareProportionally(
      left.map((indices) => indices.length),
      size,
    );
    const taken = left.flatMap((indices, label) => indices.slice(0, shares[label]));
    left = left.map((indices, label) => indices.slice(shares[label]));
    return Uint32Array.from(taken).sort();
  });
}

/** The images at `indices`, copied, in that order. */
export function selectImages(from: Split, indices: Uint32Array): Split {
  const imageBytes = from.images.length / from.count;
  const images = new Uint8Array(indices.length * imageBytes);
  const labels = new Uint8Array(indices.length);
  indices.forEach((index, position) => {
    const start = index * imageBytes;
    images.set(from.images.subarray(start, start + imageBytes), position * imageBytes);
    labels[position] = from.labels[index] as number;
  });
  return Object.freeze({ count: indices.length, images, labels });
}
