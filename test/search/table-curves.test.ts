import { describe, expect, test } from 'vitest';
import {
  boundsOf,
  createScorer,
  meanCurve,
  type TableScoring,
} from '../../src/search/table-curves.js';

/** Four architectures; the second is the best by the guide, the fourth by what is reported. */
const scores = new Map([
  ['a', { accuracy: 60, latencyMs: 2, reported: 61 }],
  ['b', { accuracy: 90, latencyMs: 8, reported: 88 }],
  ['c', { accuracy: 95, latencyMs: 12, reported: 99 }],
  ['d', { accuracy: 80, latencyMs: 4, reported: 89 }],
]);
const plane = [
  { metric: 'accuracy', direction: 'maximize' },
  { metric: 'latencyMs', direction: 'minimize' },
] as const;
const limited: TableScoring = {
  scores,
  constraints: [{ metric: 'latencyMs', max: 10 }],
  guide: plane[0],
  report: 'reported',
  plane,
};

describe('curves of searches on known scores', () => {
  test('the bounds are those of the feasible ones', () => {
    expect(boundsOf(limited)).toEqual({
      oracle: 89,
      bestByGuide: 88,
      bestGuide: 90,
      feasible: 3,
    });
    expect(boundsOf({ ...limited, constraints: [] }).oracle).toBe(99);
  });

  test('what breaks a limit is never the incumbent, however good it is', () => {
    const run = createScorer(limited)(['c', 'a', 'd', 'b']);
    expect(run.reported).toEqual([Number.NaN, 61, 89, 88]);
    expect(run.guided).toEqual([Number.NaN, 60, 80, 90]);
    expect(run.incumbent).toBe('b');
    expect(createScorer(limited)(['c']).incumbent).toBeUndefined();
  });

  test('the volume reaches from the worst score to the limit', () => {
    // From accuracy 60 and 10 ms: b spans 30 × 2, d adds 20 × 4, a and c nothing.
    const run = createScorer(limited)(['a', 'c', 'b', 'd']);
    expect(run.hypervolume).toEqual([0, 0, 60 / 140, 1]);
    // Without a limit from 12 ms: b 30 × 4, then d 20 × 4 more; c reaches no further than 12 ms.
    const free = createScorer({ ...limited, constraints: [] })(['b', 'c', 'd', 'a']);
    expect(free.hypervolume).toEqual([120 / 200, 120 / 200, 1, 1]);
    const { plane: _, ...single } = limited;
    expect(createScorer(single)(['a'])).not.toHaveProperty('hypervolume');
  });

  test('means and normal intervals over the searches that have an incumbent', () => {
    const runs = [
      ['c', 'd'],
      ['a', 'a'],
      ['b', 'b'],
    ].map(createScorer(limited));
    const [first, second] = meanCurve(runs, boundsOf(limited));
    expect(first).toMatchObject({ queries: 1, found: 2, mean: 74.5, regret: 14.5 });
    expect(second).toMatchObject({ queries: 2, found: 3, regretToBestByGuide: 88 - 238 / 3 });
    // 89, 61 and 88: standard deviation by hand, 1.96 standard errors.
    expect(second?.mean).toBeCloseTo(238 / 3, 10);
    expect(second?.stddev).toBeCloseTo(15.885, 3);
    expect(second?.ci95[1]).toBeCloseTo(238 / 3 + (1.959964 * 15.885) / Math.sqrt(3), 2);
    expect(second?.regretCi95[0]).toBeCloseTo(89 - (second?.ci95[1] as number), 10);
    expect(second?.guided.mean).toBeCloseTo((80 + 60 + 90) / 3, 10);
    expect(second?.hypervolume?.mean).toBeCloseTo((120 / 140 + 0 + 60 / 140) / 3, 10);
  });
});
