import { describe, expect, it } from 'vitest';
import {
  countOutliers,
  mean,
  median,
  medianInterval,
  quantile,
  quantileInterval,
  quantileRanks,
  sortSamples,
  stddev,
  summarize,
} from '../../src/measure/statistics.js';
import { Rng } from '../../src/util/random.js';

const oneToTen = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

describe('quantile (type 7)', () => {
  it('interpolates between order statistics', () => {
    // Position 9 · 0.9 = 8.1 lies between 9 and 10.
    expect(quantile(oneToTen, 0.9)).toBeCloseTo(9.1, 12);
    expect(quantile(oneToTen, 0.25)).toBeCloseTo(3.25, 12);
    expect(quantile(oneToTen, 0)).toBe(1);
    expect(quantile(oneToTen, 1)).toBe(10);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });

  it('takes the median of values in any order', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});

describe('moments', () => {
  it('divides the variance by n − 1', () => {
    // 2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares sum to 32.
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(mean(values)).toBe(5);
    expect(stddev(values)).toBeCloseTo(Math.sqrt(32 / 7), 12);
    expect(stddev([3])).toBe(0);
  });
});

describe('countOutliers', () => {
  it('counts what lies beyond 3.5 robust deviations', () => {
    // Median 5, MAD 2: the limit is 3.5 · 1.4826 · 2 = 10.38.
    expect(countOutliers([1, 2, 3, 4, 5, 6, 7, 8, 15.3])).toBe(0);
    expect(countOutliers([1, 2, 3, 4, 5, 6, 7, 8, 15.5])).toBe(1);
  });

  it('counts none where most values are equal', () => {
    expect(countOutliers([5, 5, 5, 5, 100])).toBe(0);
  });
});

describe('quantileRanks', () => {
  it.each([
    // Published tables of the sign test at 95 %.
    [5, 0],
    [6, 1],
    [8, 1],
    [9, 2],
    [10, 2],
    [20, 6],
    [50, 18],
    [100, 40],
  ])('of the median of %i samples begin at %i', (n, rank) => {
    expect(quantileRanks(n, 0.5)).toEqual([rank, n + 1 - rank]);
  });

  it('tends to n/2 − 0.98 √n', () => {
    const n = 100_000;
    expect(quantileRanks(n, 0.5)[0] / (n / 2 - 0.98 * Math.sqrt(n))).toBeCloseTo(1, 4);
  });

  it('bound a high percentile from above only where there are samples enough', () => {
    // 0.99^n ≤ 2.5 % from n = 368.
    expect(quantileRanks(367, 0.99)[1]).toBe(368);
    expect(quantileRanks(368, 0.99)[1]).toBe(368);
    // P(Binomial(100, 0.9) < 84) = 2.06 %, < 85 = 3.99 %; ≥ 97 is 0.78 %, ≥ 96 2.37 %.
    expect(quantileRanks(100, 0.9)).toEqual([84, 96]);
  });
});

describe('medianInterval', () => {
  it('is the exact binomial interval of a single window', () => {
    expect(medianInterval([oneToTen])).toEqual([2, 9]);
  });

  it('is the range of fewer than six samples', () => {
    expect(medianInterval([[3, 1, 2]])).toEqual([1, 3]);
  });

  it('widens when the windows disagree', () => {
    // Two levels, each steady for a whole window: the samples are no independent witnesses.
    const low = new Float64Array(100).map((_, i) => 10 + i / 1000);
    const high = low.map((value) => value + 1);
    const alternating = Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? low : high));
    const [lo, hi] = medianInterval(alternating);
    expect(hi - lo).toBeGreaterThan(0.9);
  });

  it('covers the true median at 95 % in spite of drift that outlasts a window', () => {
    const rng = new Rng('coverage');
    const trials = 400;
    let covered = 0;
    let naive = 0;
    for (let trial = 0; trial < trials; trial++) {
      // A random level per window (deviation 1) on top of noise within it (deviation 1): median 0.
      const windows = Array.from({ length: 32 }, () => {
        const level = rng.normal();
        return Float64Array.from({ length: 50 }, () => level + rng.normal());
      });
      const [lo, hi] = medianInterval(windows);
      if (lo <= 0 && 0 <= hi) covered++;
      const [lowest, highest] = medianInterval([sortSamples(windows)]);
      if (lowest <= 0 && 0 <= highest) naive++;
    }
    expect(covered / trials).toBeGreaterThan(0.92);
    expect(covered / trials).toBeLessThan(0.99);
    expect(naive / trials).toBeLessThan(0.6);
  });

  it('always contains the median', () => {
    const rng = new Rng('contains');
    for (let trial = 0; trial < 200; trial++) {
      const windows = Array.from({ length: 1 + rng.integer(20) }, () =>
        Array.from({ length: 1 + rng.integer(9) }, () => rng.integer(5)),
      );
      const { p50, ci95 } = summarize(windows);
      expect(ci95[0]).toBeLessThanOrEqual(p50);
      expect(ci95[1]).toBeGreaterThanOrEqual(p50);
    }
  });
});

describe('quantileInterval', () => {
  it('leaves the end open that no sample bounds', () => {
    const [low, high] = quantileInterval([Float64Array.from({ length: 200 }, (_, i) => i)], 0.99);
    expect(low).toBeGreaterThan(190);
    expect(high).toBeNull();
    expect(quantileInterval([[1, 2, 3]], 0.5)).toEqual([null, null]);
  });

  it.each([0.5, 0.9, 0.95, 0.99])(
    'covers quantile %d of heavy tails that come in clusters',
    (q) => {
      const rng = new Rng(`tails-${q}`);
      const trials = 300;
      // Exponential noise, times a level per window: e^(normal/5). The truth from a long stream.
      const draw = (count: number) =>
        Array.from({ length: count }, () => {
          const level = Math.exp(rng.normal() / 5);
          return Float64Array.from({ length: 60 }, () => level * (1 - Math.log1p(-rng.uniform())));
        });
      const truth = quantile(sortSamples(draw(20_000)), q);
      let covered = 0;
      for (let trial = 0; trial < trials; trial++) {
        const [low, high] = quantileInterval(draw(48), q);
        if ((low ?? 0) <= truth && truth <= (high ?? Number.POSITIVE_INFINITY)) covered++;
      }
      expect(covered / trials).toBeGreaterThan(0.9);
      expect(covered / trials).toBeLessThan(0.995);
    },
  );

  it('always contains the quantile', () => {
    const rng = new Rng('contains-quantile');
    for (let trial = 0; trial < 200; trial++) {
      const windows = Array.from({ length: 1 + rng.integer(20) }, () =>
        Array.from({ length: 1 + rng.integer(40) }, () => rng.integer(5)),
      );
      const { p99, percentileCi95 } = summarize(windows);
      expect(percentileCi95.p99[0] ?? 0).toBeLessThanOrEqual(p99);
      expect(percentileCi95.p99[1] ?? 9).toBeGreaterThanOrEqual(p99);
    }
  });
});

describe('summarize', () => {
  it('reports every statistic of the pooled samples', () => {
    expect(
      summarize([
        [1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10],
      ]),
    ).toMatchObject({
      count: 10,
      min: 1,
      p50: 5.5,
      mean: 5.5,
      outliers: 0,
    });
  });
});
