/** Needs the published files beside the repository; skipped, with a warning, where they are absent. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../src/data/data.js';
import { countLabels } from '../../src/data/split.js';
import { computePixelStatistics } from '../../src/data/statistics.js';
import { expectBalanced, expectDisjoint, isSameSplit } from './fixtures.js';

const shared = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const fashion = `${shared}fashion-mnist`;
const cifar = `${shared}cifar10-subset`;
for (const dir of [fashion, cifar]) {
  if (!existsSync(dir)) console.warn(`SKIPPED: tests on published data, there is no ${dir}`);
}

describe.skipIf(!existsSync(fashion))('Fashion-MNIST as published', () => {
  it('has the published counts and statistics, and splits in balance', async () => {
    const dataset = await loadDataset({ kind: 'idx', dir: fashion });
    const { train, search, hidden } = dataset;
    expect([train.count, search.count, hidden.count]).toEqual([55_000, 5000, 10_000]);
    expect(countLabels(train.labels, 10)).toEqual(Array(10).fill(5500));
    expect(countLabels(search.labels, 10)).toEqual(Array(10).fill(500));
    expect(countLabels(hidden.labels, 10)).toEqual(Array(10).fill(1000));
    expect(dataset.classes[9]).toBe('Ankle boot');

    const images = new Uint8Array(60_000 * 784);
    images.set(train.images);
    images.set(search.images, train.images.length);
    const all = computePixelStatistics({ count: 60_000, images, labels: train.labels }, 1);
    expect(all.mean[0]).toBeCloseTo(0.286, 4);
    expect(all.std[0]).toBeCloseTo(0.353, 4);
    expect(dataset.mean[0]).toBeCloseTo(0.286, 2);
  });

  it('splits alike for the same seed, and holds the same images out whatever the cap', async () => {
    const first = await loadDataset({ kind: 'idx', dir: fashion, train: 1003, hidden: 500 });
    const second = await loadDataset({ kind: 'idx', dir: fashion, train: 2000, hidden: 500 });
    expect(isSameSplit(second.search, first.search)).toBe(true);
    expect(isSameSplit(second.hidden, first.hidden)).toBe(true);
    expect(first.train.count).toBe(1003);
    expectBalanced(first.train, 10);
  });
});

describe.skipIf(!existsSync(cifar))('the CIFAR-10 subset', () => {
  it('has its counts, class names and statistics', async () => {
    const dataset = await loadDataset({ kind: 'cifar10', dir: cifar, search: 1000 });
    const { train, search, hidden } = dataset;
    expect([train.count, search.count, hidden.count]).toEqual([9000, 1000, 2000]);
    for (const split of [train, search, hidden]) expectBalanced(split, 10);
    expect(dataset.classes.slice(0, 4)).toEqual(['airplane', 'automobile', 'bird', 'cat']);
    expectDisjoint(dataset);
    [0.4941, 0.4843, 0.4486].forEach((mean, channel) => {
      expect(Math.abs((dataset.mean[channel] as number) - mean)).toBeLessThan(0.003);
    });
    [0.2453, 0.243, 0.2605].forEach((std, channel) => {
      expect(Math.abs((dataset.std[channel] as number) - std)).toBeLessThan(0.003);
    });
  });
});
