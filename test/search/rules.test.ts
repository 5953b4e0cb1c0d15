import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptChampions,
  compareRetested,
  mean,
  noiseOf,
  type Retested,
} from '../../src/search/acceptance.js';
import { type ArmState, nextArm, RETIRED_AFTER } from '../../src/search/arms.js';
import { type Budget, checkBudget, searchEnd, secondsLeft } from '../../src/search/budget.js';
import { pickChampions, planRetest } from '../../src/search/champions.js';
import { wilsonInterval } from '../../src/search/interval.js';
import { earlyViolations, resolveLimits } from '../../src/search/limits.js';
import { decidePromotion, pruneReason } from '../../src/search/promotion.js';
import type { Objective } from '../../src/trial/objective.js';
import type { CompleteTrial } from '../../src/trial/trial.js';
import { Rng } from '../../src/util/random.js';

const ACCURACY: Objective = { metric: 'accuracy', direction: 'maximize' };
const LATENCY: Objective = { metric: 'latencyMs', direction: 'minimize' };
const BOTH = [ACCURACY, LATENCY];

describe('wilsonInterval', () => {
  // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine
  // 17 (1998), table I, method 3 (Wilson score without continuity correction).
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %d in %d is %d … %d', (successes, samples, low, high) => {
    const interval = wilsonInterval(successes, samples);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });

  it('refuses counts that are none', () => {
    expect(() => wilsonInterval(1, 0)).toThrow(RangeError);
    expect(() => wilsonInterval(3, 2)).toThrow(RangeError);
  });
});

describe('arms', () => {
  const arm = (name: string, spentSeconds: number, barren = 0) => ({ name, spentSeconds, barren });

  it('gives the turn to the least spent, the first of equals, never to a retired one', () => {
    expect(nextArm([arm('a', 2), arm('b', 1), arm('c', 1)])?.name).toBe('b');
    expect(nextArm([arm('a', 2), arm('b', 1, RETIRED_AFTER)])?.name).toBe('a');
    expect(nextArm([arm('a', 2, RETIRED_AFTER)])).toBeUndefined();
  });

  it('keeps spent times within the dearest trial of each other', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 9, noNaN: true }), { minLength: 1 }),
        (costs) => {
          const spent = [arm('a', 0), arm('b', 0), arm('c', 0)];
          for (const cost of costs) {
            const next = nextArm(spent);
            const i = spent.indexOf(next as ArmState);
            spent[i] = arm(spent[i]?.name ?? '', (spent[i]?.spentSeconds ?? 0) + cost);
          }
          const seconds = spent.map(({ spentSeconds }) => spentSeconds);
          expect(Math.max(...seconds) - Math.min(...seconds)).toBeLessThanOrEqual(
            Math.max(...costs) + 1e-9,
          );
        },
      ),
    );
  });
});

describe('budget', () => {
  const budget: Budget = { seconds: 100, trials: 5, reserve: 0.25 };

  it('ends the search by trials or by time less the reserve', () => {
    expect(searchEnd(budget, { seconds: 74.9, trials: 4 })).toBeUndefined();
    expect(searchEnd(budget, { seconds: 75, trials: 4 })).toBe('seconds');
    expect(searchEnd(budget, { seconds: 0, trials: 5 })).toBe('trials');
    expect(searchEnd({ trials: 5, reserve: 0.25 }, { seconds: 1e9, trials: 4 })).toBeUndefined();
    expect(secondsLeft(budget, 101)).toBe(0);
    expect(secondsLeft({ trials: 5, reserve: 0 }, 7)).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    [{ reserve: 0 }, /expected seconds or trials/],
    [{ seconds: 0, reserve: 0 }, /budget.seconds/],
    [{ trials: 1.5, reserve: 0 }, /budget.trials/],
    [{ trials: 1, reserve: 1 }, /budget.reserve/],
  ])('refuses %j', (bad, message) => {
    expect(() => checkBudget(bad)).toThrow(message);
  });
});

describe('limits', () => {
  const limits = [
    { metric: 'latencyMs', max: { baseline: 'resnet', factor: 0.5 } },
    { metric: 'accuracy', min: 0.8 },
  ];

  it('take numbers from what a baseline measured', () => {
    const measured = new Map([['resnet', { latencyMs: 3 }]]);
    expect(resolveLimits(limits, ['resnet'], measured)).toEqual([
      { metric: 'latencyMs', max: 1.5 },
      { metric: 'accuracy', min: 0.8 },
    ]);
    expect(() => resolveLimits(limits, ['lenet'], measured)).toThrow(
      'constraints.latencyMs: expected one of the baselines lenet, received resnet',
    );
    expect(() => resolveLimits(limits, ['resnet'], new Map())).toThrow(/gave no such value/);
  });

  it('judge lower bounds only at the end', () => {
    const constraints = [
      { metric: 'latencyMs', max: 1 },
      { metric: 'accuracy', min: 0.8, max: 1 },
    ];
    expect(earlyViolations({ accuracy: 0.1, latencyMs: 2 }, constraints)).toEqual([
      { metric: 'latencyMs', limit: 1, actual: 2 },
    ]);
  });
});

describe('promotion', () => {
  const metrics = (accuracy: number, latencyMs: number) => ({ accuracy, latencyMs });
  const earlier = [metrics(0.9, 3), metrics(0.8, 2), metrics(0.7, 1), metrics(0.6, 4)];

  it('goes to the front and to the best 1/η', () => {
    expect(decidePromotion(metrics(0.5, 5), [], BOTH, 3).promoted).toBe(true);
    expect(decidePromotion(metrics(0.5, 0.5), earlier, BOTH, 5)).toEqual({
      promoted: true,
      onFront: true,
      rank: 5,
      of: 5,
    });
    const second = metrics(0.85, 3.5);
    expect(decidePromotion(second, earlier, BOTH, 3)).toMatchObject({ promoted: true, rank: 2 });
    const pruned = decidePromotion(second, earlier, BOTH, 5);
    expect(pruned).toEqual({ promoted: false, onFront: false, rank: 2, of: 5 });
    expect(pruneReason(pruned, 'accuracy', 5)).toMatch(
      /number 2 of 5 by short accuracy; the best 1 /,
    );
  });

  it('prunes most equals: the later of equal scores ranks behind', () => {
    const same = Array.from({ length: 8 }, () => metrics(0.5, 2));
    expect(decidePromotion(metrics(0.5, 3), same, BOTH, 3)).toMatchObject({
      promoted: false,
      rank: 9,
    });
  });
});

describe('acceptance', () => {
  const one = (id: number, scores: readonly number[], latencyMs = 1): Retested => ({
    id,
    scores,
    metrics: { accuracy: mean(scores), latencyMs },
  });

  it('has the standard error of the paired t-test for two contenders', () => {
    // Differences 0.02, 0.03, 0.01: standard deviation 0.01, of their mean 0.01 / √3.
    const pair = [one(1, [0.52, 0.63, 0.71]), one(2, [0.5, 0.6, 0.7])];
    expect(noiseOf(pair)(pair[0] as Retested, pair[1] as Retested)).toBeCloseTo(
      0.01 / Math.sqrt(3),
      12,
    );
  });

  it('does not count what a seed does to all alike', () => {
    const sigmaOf = (a: Retested, b: Retested, ...others: Retested[]) =>
      noiseOf([a, b, ...others])(a, b);
    const table = [one(1, [0.5, 0.6, 0.7]), one(2, [0.6, 0.7, 0.8]), one(3, [0.1, 0.2, 0.3])];
    expect(sigmaOf(...(table as [Retested, Retested, Retested]))).toBeCloseTo(0, 12);
    expect(sigmaOf(one(1, [0.5]), one(2, [0.6]))).toBeNull();
    const alone = one(1, [0.5, 0.6]);
    expect(noiseOf([alone])(alone, alone)).toBeNull();
  });

  it('does not let one erratic contender hide what the others show', () => {
    const better = one(1, [0.91, 0.912, 0.908]);
    const worse = one(2, [0.9, 0.901, 0.899]);
    const third = one(3, [0.905, 0.904, 0.904]);
    const erratic = one(4, [0.7, 0.8, 0.6]);
    const noise = noiseOf([better, worse, third, erratic]);
    expect(compareRetested(better, worse, ACCURACY, noise, 2).verdict).toBe('tie');
    const calm = [one(5, [0.895, 0.897, 0.894]), one(6, [0.89, 0.891, 0.889])];
    const more = noiseOf([better, worse, third, erratic, ...calm]);
    expect(compareRetested(better, worse, ACCURACY, more, 2).verdict).toBe('wins');
  });

  it('rarely lets one of two equals win, and finds a clear difference', () => {
    const rng = new Rng(5);
    const wins = (advantage: number): number => {
      let count = 0;
      for (let i = 0; i < 2000; i++) {
        const table = Array.from({ length: 5 }, (_, id) =>
          one(
            id,
            Array.from({ length: 3 }, () => 0.01 * rng.normal() + (id === 0 ? advantage : 0)),
          ),
        );
        const [challenger, incumbent] = table as [Retested, Retested];
        const { verdict } = compareRetested(challenger, incumbent, ACCURACY, noiseOf(table), 2);
        if (verdict === 'wins') count++;
      }
      return count / 2000;
    };
    expect(wins(0)).toBeGreaterThan(0.01);
    expect(wins(0)).toBeLessThan(0.055);
    expect(wins(0.04)).toBeGreaterThan(0.95);
  });

  it('keeps of a front the members that are worth their latency', () => {
    const champions = [
      one(1, [0.7], 1),
      one(2, [0.705], 2), // within the noise of 1, but slower
      one(3, [0.8], 3),
      one(4, [0.75], 4), // worse than 3
    ];
    const { accepted, decisions } = acceptChampions(champions, BOTH, () => 0.01, 2);
    expect(accepted).toEqual([1, 3]);
    expect(
      decisions.map(({ challenger, incumbent, verdict }) => [challenger, incumbent, verdict]),
    ).toEqual([
      [2, 1, 'tie'],
      [3, 1, 'wins'],
      [4, 3, 'loses'],
    ]);
    expect(acceptChampions(champions, BOTH, () => null, 2).accepted).toEqual([1]);
  });

  it('replaces the incumbent of a single objective only by a clear winner', () => {
    const incumbent: Retested = { id: 1, scores: [0.8, 0.8], metrics: { accuracy: 0.9 } };
    const tied: Retested = { id: 2, scores: [0.81, 0.81], metrics: { accuracy: 0.85 } };
    const better: Retested = { id: 3, scores: [0.83, 0.83], metrics: { accuracy: 0.84 } };
    const all = [better, tied, incumbent];
    expect(acceptChampions(all.slice(1), [ACCURACY], () => 0.01, 2).accepted).toEqual([1]);
    expect(acceptChampions(all, [ACCURACY], () => 0.01, 2).accepted).toEqual([3]);
  });

  it('turns the sign for an objective to be minimised', () => {
    const loss: Objective = { metric: 'loss', direction: 'minimize' };
    const { verdict, difference } = compareRetested(
      one(1, [0.2]),
      one(2, [0.5]),
      loss,
      () => 0.1,
      2,
    );
    expect([verdict, difference]).toEqual(['wins', 0.3]);
  });
});

describe('champions', () => {
  const trial = (id: number, accuracy: number, latencyMs: number): CompleteTrial => ({
    id,
    agent: 'random',
    operator: 'sample',
    parents: [],
    architecture: id,
    hash: `h${id}`,
    description: '',
    costSeconds: 1,
    state: 'complete',
    metrics: { accuracy, latencyMs },
  });

  it('are the best first, then spread along the front', () => {
    const trials = [
      trial(1, 0.9, 10),
      trial(2, 0.89, 9.5),
      trial(3, 0.7, 5),
      trial(4, 0.5, 1),
      trial(5, 0.4, 6),
    ];
    const ids = (count: number) => pickChampions(trials, BOTH, count).map(({ id }) => id);
    expect(ids(1)).toEqual([1]);
    expect(ids(3)).toEqual([1, 4, 3]);
    expect(ids(9)).toEqual([1, 4, 3, 2]);
    expect(pickChampions([], BOTH, 3)).toEqual([]);
  });

  it('come to the retest as far as time allows: fewer of them first, then fewer rounds', () => {
    const contenders = [1, 2, 3, 4].map((id) => ({ id, roundSeconds: 10 }));
    expect(planRetest(contenders, 3, 120)).toEqual({ contenders: [1, 2, 3, 4], rounds: 3 });
    expect(planRetest(contenders, 3, 119)).toEqual({ contenders: [1, 2, 3], rounds: 3 });
    expect(planRetest(contenders, 3, 59)).toEqual({ contenders: [1, 2], rounds: 2 });
    expect(planRetest(contenders, 3, 39)).toEqual({ contenders: [], rounds: 0 });
    expect(planRetest(contenders.slice(0, 1), 3, 1000)).toEqual({ contenders: [], rounds: 0 });
  });
});
