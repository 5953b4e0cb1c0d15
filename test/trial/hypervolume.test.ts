import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hypervolume } from '../../src/trial/hypervolume.js';
import { Rng } from '../../src/util/random.js';

const cloud = (dimensions: number, maxLength: number) =>
  fc.array(
    fc.array(fc.double({ min: 0, max: 1.1, noNaN: true }), {
      minLength: dimensions,
      maxLength: dimensions,
    }),
    { maxLength },
  );

const ones = (dimensions: number): number[] => new Array<number>(dimensions).fill(1);

/** Inclusion–exclusion over all subsets: independent of the algorithm, exponential in the points. */
function byInclusionExclusion(points: readonly (readonly number[])[], reference: number[]): number {
  let sum = 0;
  for (let subset = 1; subset < 1 << points.length; subset++) {
    const members = points.filter((_, i) => subset & (1 << i));
    const box = reference.reduce(
      (volume, r, d) => volume * Math.max(0, r - Math.max(...members.map((p) => p[d]!))),
      1,
    );
    sum += members.length % 2 === 1 ? box : -box;
  }
  return sum;
}

describe('hypervolume', () => {
  test('values computed by hand', () => {
    expect(hypervolume([], [1, 1])).toBe(0);
    expect(hypervolume([[2], [5]], [7])).toBe(5);
    // 3 boxes of a staircase: 1·3 + 1·2 + 1·1.
    expect(
      hypervolume(
        [
          [1, 3],
          [2, 2],
          [3, 1],
        ].reverse(),
        [4, 4],
      ),
    ).toBe(6);
    // Two unit-thick slabs of 2×2 and 1×… : 2·2·2 + 3·1·1 − 2·1·1.
    expect(
      hypervolume(
        [
          [1, 1, 1],
          [0, 2, 2],
        ],
        [3, 3, 3],
      ),
    ).toBe(9);
    // Four dimensions: 2⁴ + 3·1³ − 2·1³.
    expect(
      hypervolume(
        [
          [1, 1, 1, 1],
          [0, 2, 2, 2],
        ],
        [3, 3, 3, 3],
      ),
    ).toBe(17);
  });

  test('points outside the reference, on its edge, doubled or dominated add nothing', () => {
    const points = [
      [1, 2],
      [2, 1],
    ];
    const more = [...points, [1, 2], [2, 2], [0, 3], [-5, 3.5], [3, 0]];
    expect(hypervolume(points, [3, 3])).toBe(3);
    expect(hypervolume(more, [3, 3])).toBe(3);
  });

  for (const dimensions of [1, 2, 3, 4, 5]) {
    test(`equals inclusion–exclusion in ${dimensions} dimensions`, () => {
      fc.assert(
        fc.property(cloud(dimensions, 7), (points) => {
          const reference = ones(dimensions);
          const expected = byInclusionExclusion(points, reference);
          expect(hypervolume(points, reference)).toBeCloseTo(expected, 9);
        }),
        { numRuns: 60 },
      );
    });
  }

  test('agrees with Monte Carlo on a front of 40 points in four dimensions', () => {
    const rng = new Rng('monte-carlo');
    const draw = () => Array.from({ length: 4 }, () => rng.uniform());
    const points = Array.from({ length: 40 }, draw);
    const samples = 40_000;
    let hits = 0;
    for (let i = 0; i < samples; i++) {
      const at = draw();
      if (points.some((point) => point.every((cost, d) => cost <= at[d]!))) hits++;
    }
    const share = hits / samples;
    const sigma = Math.sqrt((share * (1 - share)) / samples);
    expect(Math.abs(hypervolume(points, ones(4)) - share)).toBeLessThan(4 * sigma);
  });

  test('grows with any point that is added', () => {
    fc.assert(
      fc.property(cloud(3, 12), cloud(3, 1), (points, added) => {
        const before = hypervolume(points, ones(3));
        expect(hypervolume([...points, ...added], ones(3))).toBeGreaterThanOrEqual(before - 1e-12);
      }),
    );
  });
});
