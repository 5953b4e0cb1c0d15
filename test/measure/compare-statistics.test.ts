import { describe, expect, it } from 'vitest';
import {
  type CompareVerdict,
  decideVerdict,
  estimateCentre,
  estimateRatio,
  LOOKS,
  signedRank,
} from '../../src/measure/compare-statistics.js';
import { Rng } from '../../src/util/random.js';

describe('signed ranks', () => {
  // Largest k with P(W < k) ≤ α/2, from published tables of critical values T = k − 1.
  it.each([
    [5, 0.05, 0],
    [6, 0.05, 1],
    [8, 0.05, 4],
    [10, 0.05, 9],
    [20, 0.05, 53],
    [7, 0.01, 0],
    [8, 0.01, 1],
    [10, 0.01, 4],
    [20, 0.01, 38],
    [50, 0.01, 374],
  ])('of %i at %f', (n, alpha, rank) => {
    expect(signedRank(n, alpha)).toBe(rank);
  });

  it('give the centre of symmetric values, a wild one among them', () => {
    const { centre, interval } = estimateCentre([1, 2, 3, 4, 5, 6, 7, 1000], 0.01);
    expect(centre).toBeCloseTo(4.5, 5);
    expect(interval).toEqual([1, 1000]);
    expect(estimateCentre([1, 2, 3, 4, 5], 0.05)).toEqual({
      centre: 3,
      interval: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    });
  });
});

describe('decideVerdict', () => {
  it.each<[number, number, CompareVerdict]>([
    [0.986, 1.014, 'SAME'],
    [1.006, 1.014, 'SAME'],
    [0.99, 1.02, 'UNCLEAR'],
    [0.98, 0.99, 'FASTER'],
    [0.9, 0.999, 'UNCLEAR'],
    [1.01, 1.02, 'SLOWER'],
    [1.001, 1.2, 'UNCLEAR'],
    [0, Number.POSITIVE_INFINITY, 'UNCLEAR'],
  ])('of %f … %f is %s', (low, high, verdict) => {
    expect(decideVerdict([low, high])).toBe(verdict);
  });
});

/** Rounds with a constant of their own and noise that is now and then wild, looked at in turn. */
function simulate(rng: Rng, logRatio: number, sigma: number) {
  const rounds: number[] = [];
  for (const look of LOOKS) {
    while (rounds.length < look) {
      const wild = rng.uniform() < 0.05 ? 6 : 1;
      rounds.push(logRatio + sigma * wild * rng.normal());
    }
    const { ci95 } = estimateRatio(rounds, false);
    const verdict = decideVerdict(ci95);
    if (verdict !== 'UNCLEAR' || look === LOOKS.at(-1)) return { verdict, ci95, rounds: look };
  }
  throw new Error('unreachable');
}

describe('looks', () => {
  it('all hold the true ratio in 95 of 100 comparisons', () => {
    const rng = new Rng('coverage');
    const runs = 600;
    let missed = 0;
    for (let run = 0; run < runs; run++) {
      const rounds: number[] = [];
      const misses = LOOKS.some((look) => {
        while (rounds.length < look) rounds.push(0.02 * rng.normal());
        const [low, high] = estimateRatio(rounds, false).ci95;
        return low > 1 || high < 1;
      });
      if (misses) missed++;
    }
    // 5 % and three standard errors.
    expect(missed / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
  });

  it.each([0.003, 0.01, 0.03])('judge equal models whose rounds scatter by %f', (sigma) => {
    const rng = new Rng('equal').fork(sigma);
    const verdicts = Array.from({ length: 200 }, () => simulate(rng, 0, sigma).verdict);
    const wrong = verdicts.filter((verdict) => verdict === 'FASTER' || verdict === 'SLOWER');
    expect(wrong.length).toBeLessThanOrEqual(6);
    if (sigma <= 0.01) {
      expect(verdicts.filter((verdict) => verdict === 'SAME').length).toBeGreaterThan(190);
    }
  });

  it.each([0.003, 0.01, 0.03])('find 3 % where rounds scatter by %f', (sigma) => {
    const rng = new Rng('slower').fork(sigma);
    const ends = Array.from({ length: 200 }, () => simulate(rng, Math.log(1.03), sigma));
    expect(ends.filter(({ verdict }) => verdict === 'SLOWER').length).toBeGreaterThan(190);
    const mirrored = Array.from({ length: 200 }, () => simulate(rng, -Math.log(1.03), sigma));
    expect(mirrored.filter(({ verdict }) => verdict === 'FASTER').length).toBeGreaterThan(190);
  });
});
