import { describe, expect, it } from 'vitest';
import { type Dataset, loadDataset } from '../../src/data/data.js';
import { expectBalanced, expectDisjoint, expectUsageError, isSameSplit } from './fixtures.js';

const sizes = { train: 1500, search: 505, hidden: 300 } as const;

/** Share of search images whose nearest image among `references` has their label. */
function scoreNearest(
  { search }: Dataset,
  references: { readonly images: ArrayLike<number>; readonly labels: ArrayLike<number> },
): number {
  const pixels = 28 * 28;
  let right = 0;
  for (let i = 0; i < search.count; i++) {
    let best = Number.POSITIVE_INFINITY;
    let guess = -1;
    for (let j = 0; j < references.labels.length; j++) {
      let distance = 0;
      for (let p = 0; p < pixels && distance < best; p++) {
        const delta =
          (search.images[i * pixels + p] as number) - (references.images[j * pixels + p] as number);
        distance += delta * delta;
      }
      if (distance < best) {
        best = distance;
        guess = references.labels[j] as number;
      }
    }
    if (guess === search.labels[i]) right++;
  }
  return right / search.count;
}

describe('glyphs', () => {
  it('are the same bytes on every machine', async () => {
    const dataset = await loadDataset({ kind: 'glyphs', ...sizes });
    expect(dataset.fingerprint).toBe(
      '3d30aab0b0f60c59ab6b397793bcaa21f10cf7621318233c127637694f8aa0df',
    );
  });

  it('differ by seed and split, with balanced classes in random order', async () => {
    const dataset = await loadDataset({ kind: 'glyphs', ...sizes });
    const other = await loadDataset({ kind: 'glyphs', ...sizes, seed: 1 });
    expect(other.fingerprint).not.toBe(dataset.fingerprint);
    expectDisjoint(dataset);
    for (const split of [dataset.train, dataset.search, dataset.hidden]) {
      expectBalanced(split, 10);
      const inTurn = split.labels.filter((label, i) => label === i % 10).length;
      expect(inTurn / split.count).toBeLessThan(0.2);
    }
    expect([dataset.train.count, dataset.search.count, dataset.hidden.count]).toEqual([
      1500, 505, 300,
    ]);
    expect(new Set(dataset.classes).size).toBe(10);
  });

  it('keep a split when another changes its size', async () => {
    const dataset = await loadDataset({ kind: 'glyphs', ...sizes });
    const smaller = await loadDataset({ kind: 'glyphs', ...sizes, train: 100 });
    expect(isSameSplit(smaller.hidden, dataset.hidden)).toBe(true);
    expect(isSameSplit(smaller.search, dataset.search)).toBe(true);
  });

  it('can be learnt, but not by comparing pixels', async () => {
    const dataset = await loadDataset({ kind: 'glyphs', ...sizes });
    const nearestImage = scoreNearest(dataset, dataset.train);
    expect(nearestImage).toBeGreaterThan(0.2);
    expect(nearestImage).toBeLessThan(0.5);

    const pixels = 28 * 28;
    const averages = new Float64Array(10 * pixels);
    dataset.train.images.forEach((byte, i) => {
      const label = dataset.train.labels[Math.floor(i / pixels)] as number;
      const index = label * pixels + (i % pixels);
      averages[index] = (averages[index] as number) + byte / (sizes.train / 10);
    });
    const nearestAverage = scoreNearest(dataset, {
      images: averages,
      labels: [...Array(10).keys()],
    });
    expect(nearestAverage).toBeGreaterThan(0.2);
    expect(nearestAverage).toBeLessThan(0.5);
  });

  it('refuse sizes below one image per class', async () => {
    await expectUsageError(
      loadDataset({ kind: 'glyphs', hidden: 9 }),
      /data\.hidden: .*10 \(one image per class\), received 9/,
    );
  });
});
