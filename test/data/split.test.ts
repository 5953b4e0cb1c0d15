import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countLabels,
  selectImages,
  shareProportionally,
  splitStratified,
} from '../../src/data/split.js';
import { InternalError } from '../../src/errors.js';
import { Rng } from '../../src/util/random.js';

const classes = 5;
const labelArrays = fc
  .array(fc.integer({ min: 0, max: classes - 1 }), { minLength: 1, maxLength: 200 })
  .map((labels) => Uint8Array.from(labels));

describe('shareProportionally', () => {
  it('sums to the total, each within one of the exact share and never above its count', () => {
    fc.assert(
      fc.property(labelArrays, fc.double({ min: 0, max: 1, noNaN: true }), (labels, part) => {
        const counts = countLabels(labels, classes);
        const total = Math.floor(part * labels.length);
        const shares = shareProportionally(counts, total);
        expect(shares.reduce((a, b) => a + b, 0)).toBe(total);
        shares.forEach((share, label) => {
          const count = counts[label] as number;
          expect(Math.abs(share - (total * count) / labels.length)).toBeLessThan(1);
          expect(share).toBeLessThanOrEqual(count);
        });
      }),
    );
  });

  it('gives what is left over to the largest remainders', () => {
    expect(shareProportionally([6, 3, 1], 5)).toEqual([3, 2, 0]);
    expect(shareProportionally([10, 10, 10], 8)).toEqual([3, 3, 2]);
  });
});

describe('splitStratified', () => {
  it('gives disjoint ascending lists of the sizes asked for', () => {
    fc.assert(
      fc.property(labelArrays, fc.integer(), (labels, seed) => {
        const sizes = [Math.floor(labels.length / 3), Math.floor(labels.length / 2)];
        const parts = splitStratified(labels, classes, sizes, new Rng(seed));
        expect(parts.map((part) => part.length)).toEqual(sizes);
        const all = parts.flatMap((part) => [...part]);
        expect(new Set(all).size).toBe(all.length);
        for (const part of parts) expect([...part]).toEqual([...part].sort((a, b) => a - b));
      }),
    );
  });

  it('is a function of the seed, and a list does not depend on the ones after it', () => {
    const labels = Uint8Array.from({ length: 1000 }, (_, i) => i % classes);
    const [search, train] = splitStratified(labels, classes, [100, 900], new Rng(1));
    expect(splitStratified(labels, classes, [100, 900], new Rng(1))).toEqual([search, train]);
    expect(splitStratified(labels, classes, [100, 50], new Rng(1))[0]).toEqual(search);
    expect(splitStratified(labels, classes, [100, 900], new Rng(2))[0]).not.toEqual(search);
  });

  it('refuses more images than there are', () => {
    const labels = Uint8Array.of(0, 1, 2);
    expect(() => splitStratified(labels, classes, [2, 2], new Rng(1))).toThrow(InternalError);
  });
});

describe('selectImages', () => {
  it('copies images and labels in the order of the indices', () => {
    const images = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const chosen = selectImages(
      { count: 3, images, labels: Uint8Array.of(7, 8, 9) },
      Uint32Array.of(2, 0),
    );
    images.fill(0);
    expect(chosen).toEqual({
      count: 2,
      images: Uint8Array.of(5, 6, 1, 2),
      labels: Uint8Array.of(9, 7),
    });
  });
});
