import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  crowdingDistance,
  dominates,
  nonDominatedSort,
  paretoFront,
} from '../../src/trial/pareto.js';

/** Small integer coordinates, so that ties and equal points are common. */
const points = fc.integer({ min: 1, max: 4 }).chain((d) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: d, maxLength: d }), {
    maxLength: 25,
  }),
);

describe('pareto', () => {
  test('hand-made cases', () => {
    expect(dominates([1, 2], [1, 3])).toBe(true);
    expect(dominates([1, 2], [1, 2])).toBe(false);
    expect(dominates([1, 3], [2, 2])).toBe(false);
    const square = [
      [0, 3],
      [1, 1],
      [3, 0],
      [2, 2],
      [1, 1],
      [3, 3],
    ];
    expect(paretoFront(square)).toEqual([0, 1, 2, 4]);
    expect(nonDominatedSort(square)).toEqual([[0, 1, 2, 4], [3], [5]]);
    expect(nonDominatedSort([])).toEqual([]);
  });

  test('crowding is infinite at the ends and the scaled gap of the neighbours between them', () => {
    expect(
      crowdingDistance([
        [0, 10],
        [1, 4],
        [4, 0],
      ]),
    ).toEqual([Infinity, 2, Infinity]);
    expect(
      crowdingDistance([
        [0, 10],
        [1, 8],
        [2, 2],
        [4, 0],
      ]),
    ).toEqual([Infinity, 0.5 + 0.8, 0.75 + 0.8, Infinity]);
    expect(
      crowdingDistance([
        [1, 1],
        [1, 1],
      ]),
    ).toEqual([0, 0]);
  });

  test('the front is what nothing dominates, and everything else is dominated by the front', () => {
    fc.assert(
      fc.property(points, (list) => {
        const front = paretoFront(list);
        for (const i of list.keys()) {
          const dominated = front.some((j) => dominates(list[j]!, list[i]!));
          expect(dominated).toBe(!front.includes(i));
        }
      }),
    );
  });

  test('sorting puts each point into one front, the last whose members dominate it plus one', () => {
    fc.assert(
      fc.property(points, (list) => {
        const fronts = nonDominatedSort(list);
        expect(fronts.flat().sort((a, b) => a - b)).toEqual([...list.keys()]);
        fronts.forEach((front, depth) => {
          for (const i of front) {
            const above = fronts[depth - 1];
            if (above) expect(above.some((j) => dominates(list[j]!, list[i]!))).toBe(true);
            expect(front.some((j) => dominates(list[j]!, list[i]!))).toBe(false);
          }
        });
      }),
    );
  });
});
