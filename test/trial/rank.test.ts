import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Objective, violationsOf } from '../../src/trial/objective.js';
import { dominates } from '../../src/trial/pareto.js';
import { costsOf, frontOf, rankTrials, totalViolation } from '../../src/trial/rank.js';
import type { InfeasibleTrial, Metrics, Trial } from '../../src/trial/trial.js';

const objectives: Objective[] = [
  { metric: 'accuracy', direction: 'maximize' },
  { metric: 'latencyMs', direction: 'minimize' },
];

const limit = { metric: 'latencyMs', max: 2 };

function createTrial(id: number, metrics: Metrics, state: Trial['state']): Trial {
  const base = {
    id,
    metrics,
    architecture: { id },
    operator: 'sample',
    parents: [],
    agent: 'test',
    hash: String(id),
    description: '',
    costSeconds: 1,
  };
  switch (state) {
    case 'complete':
      return { ...base, state };
    case 'infeasible':
      return { ...base, state, stage: 'measure', violations: violationsOf(metrics, [limit]) };
    default:
      return { ...base, state, stage: 'train', reason: 'test' };
  }
}

const trials = fc
  .array(
    fc.record({
      accuracy: fc.integer({ min: 0, max: 4 }),
      latencyMs: fc.integer({ min: 0, max: 3 }),
      fate: fc.constantFrom(
        ...(['measured', 'measured', 'measured', 'measured', 'pruned', 'failed'] as const),
      ),
    }),
    { maxLength: 20 },
  )
  .map((list) =>
    list.map(({ fate, ...metrics }, i) => {
      const measured = metrics.latencyMs <= limit.max ? 'complete' : 'infeasible';
      return createTrial(i + 1, metrics, fate === 'measured' ? measured : fate);
    }),
  );

describe('rank', () => {
  test('complete, then pruned, then infeasible by how much they miss, then failed', () => {
    const ranked = rankTrials(
      [
        createTrial(1, {}, 'failed'),
        createTrial(2, { accuracy: 0.9 }, 'pruned'),
        createTrial(3, { accuracy: 0.99, latencyMs: 9 }, 'infeasible'),
        createTrial(4, { accuracy: 0.5, latencyMs: 2.1 }, 'infeasible'),
        createTrial(5, { accuracy: 0.1, latencyMs: 2 }, 'complete'),
        createTrial(6, { accuracy: 0.2, latencyMs: 1 }, 'complete'),
      ],
      objectives,
    );
    expect(ranked.map(({ id }) => id)).toEqual([6, 5, 2, 4, 3, 1]);
  });

  test('violations are relative to their limits and summed', () => {
    const trial = createTrial(1, {}, 'infeasible') as InfeasibleTrial;
    const violations = [
      { metric: 'latencyMs', limit: 2, actual: 3 },
      { metric: 'accuracy', limit: 0.8, actual: 0.6 },
    ];
    expect(totalViolation({ ...trial, violations })).toBeCloseTo(0.5 + 0.25, 12);
    const unmeasured = [{ metric: 'latencyMs', limit: 2, actual: Number.NaN }];
    expect(totalViolation({ ...trial, violations: unmeasured })).toBe(Infinity);
  });

  test('a metric that is missing or not a number costs the most', () => {
    expect(costsOf({ accuracy: 0.5 }, objectives)).toEqual([-0.5, Infinity]);
    expect(costsOf({ accuracy: Number.NaN, latencyMs: 1 }, objectives)).toEqual([Infinity, 1]);
  });

  test('the front holds complete trials only, best first objective first', () => {
    fc.assert(
      fc.property(trials, (list) => {
        const front = frontOf(list, objectives);
        const complete = list.filter(({ state }) => state === 'complete');
        expect(front.every((trial) => complete.includes(trial))).toBe(true);
        for (const trial of complete) {
          const costs = costsOf(trial.metrics, objectives);
          const beaten = complete.some((o) => dominates(costsOf(o.metrics, objectives), costs));
          expect(front.includes(trial as (typeof front)[number])).toBe(!beaten);
        }
        const accuracies = front.map(({ metrics }) => metrics.accuracy!);
        expect(accuracies).toEqual([...accuracies].sort((a, b) => b - a));
      }),
    );
  });

  test('ranking is a permutation, does not depend on the order given, and respects dominance', () => {
    fc.assert(
      fc.property(trials, (list) => {
        const ranked = rankTrials(list, objectives);
        expect(new Set(ranked)).toEqual(new Set(list));
        expect(ranked.length).toBe(list.length);
        expect(rankTrials([...list].reverse(), objectives).map(({ id }) => id)).toEqual(
          ranked.map(({ id }) => id),
        );
        const complete = ranked.filter(({ state }) => state === 'complete');
        complete.forEach((better, i) => {
          for (const worse of complete.slice(i + 1)) {
            const [a, b] = [better, worse].map((t) => costsOf(t.metrics, objectives));
            expect(dominates(b!, a!)).toBe(false);
          }
        });
      }),
    );
  });

  test('one objective: the order of its values', () => {
    const list = [0.3, 0.9, 0.1, 0.9].map((accuracy, i) =>
      createTrial(i + 1, { accuracy }, 'complete'),
    );
    expect(rankTrials(list, objectives.slice(0, 1)).map(({ id }) => id)).toEqual([2, 4, 1, 3]);
  });
});
