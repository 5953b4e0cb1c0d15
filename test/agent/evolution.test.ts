import { describe, expect, test } from 'vitest';
import type { Problem } from '../../src/agent/agent.js';
import { createEvolutionAgent, EVOLUTION_DEFAULTS } from '../../src/agent/evolution.js';
import { createRandomAgent } from '../../src/agent/random.js';
import type { Effect } from '../../src/memory/effects.js';
import { hypervolume } from '../../src/trial/hypervolume.js';
import { costsOf, frontOf } from '../../src/trial/rank.js';
import type { Json, Trial } from '../../src/trial/trial.js';
import { Rng } from '../../src/util/random.js';
import { testAgentContract } from './contract.js';
import { judge, objectives, problem, runAgent } from './landscape.js';

testAgentContract({
  create: createEvolutionAgent,
  module: 'agent/evolution.js',
  factory: 'createEvolutionAgent',
});

/** Volume above accuracy 0 and below the latency limit. */
const volumeOf = (trials: readonly Trial[]) =>
  hypervolume(
    frontOf(trials, objectives).map(({ metrics }) => costsOf(metrics, objectives)),
    [-0.5, 0.3],
  );

const bestOf = (trials: readonly Trial[]) => frontOf(trials, objectives)[0]?.metrics.accuracy ?? 0;

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('evolution', () => {
  test('beats random search at equal queries over 48 seeds', () => {
    const runs = Array.from({ length: 48 }, (_, seed) => ({
      evolved: runAgent(createEvolutionAgent(problem), 60, `seed ${seed}`),
      random: runAgent(createRandomAgent(problem), 60, `seed ${seed}`),
    }));
    for (const queries of [30, 60]) {
      for (const score of [bestOf, volumeOf]) {
        const gains = runs.map(
          ({ evolved, random }) =>
            score(evolved.slice(0, queries)) - score(random.slice(0, queries)),
        );
        const gain = mean(gains);
        const variance = mean(gains.map((g) => (g - gain) ** 2));
        const standardError = Math.sqrt(variance / (gains.length - 1));
        const wins = gains.filter((g) => g > 0).length;
        console.info(
          `${score.name} at ${queries} queries: evolution gains ${gain.toFixed(4)} ± ${standardError.toFixed(4)}, wins ${wins} of ${gains.length}`,
        );
        expect(gain / standardError).toBeGreaterThan(queries === 60 ? 2 : 0);
      }
    }
  });

  test('samples until it has enough to choose from, then breeds from the living only', () => {
    const { initialSamples, populationSize } = EVOLUTION_DEFAULTS;
    const trials = runAgent(createEvolutionAgent(problem), 60, 3);
    for (const { id, operator, parents } of trials) {
      expect(operator === 'sample').toBe(id <= initialSamples);
      for (const parent of parents) expect(parent).toBeGreaterThanOrEqual(id - populationSize);
    }
    const operators = new Set(trials.map(({ operator }) => operator));
    expect([...operators].sort()).toEqual(['crossover', 'mutate', 'sample']);
    expect(new Set(trials.map(({ hash }) => hash)).size).toBe(60);
  });

  test('prefers a barely infeasible parent to a failed one and a feasible one to both', () => {
    const options = { initialSamples: 3, populationSize: 3, tournamentSize: 3 };
    const agent = createEvolutionAgent(problem, { ...options, crossoverProbability: 0 });
    const fates = ['failed', 'infeasible', 'complete', 'infeasible', 'failed'];
    const trials = runAgent(agent, 6, 'fates', (architecture, base) => {
      const { metrics } = judge(architecture, base);
      const stage = 'train';
      const violations = [{ metric: 'latencyMs', limit: 1, actual: 1.01 }];
      switch (fates[base.id - 1]) {
        case 'failed':
          return { ...base, state: 'failed', stage, reason: 'diverged', metrics: {} };
        case 'infeasible':
          return { ...base, state: 'infeasible', stage, violations, metrics };
        default:
          return { ...base, state: 'complete', metrics };
      }
    });
    expect(trials.at(-1)?.parents).toEqual([3]);
  });

  test('a population of one and a tournament wider than it work', () => {
    const agent = createEvolutionAgent(problem, { populationSize: 1, initialSamples: 1 });
    const trials = runAgent(agent, 8, 'alone');
    expect(trials.slice(1).map(({ parents }) => parents)).toEqual(
      [1, 2, 3, 4, 5, 6, 7].map((p) => [p]),
    );
  });
});

describe('evolution with a memory', () => {
  const effect = (metric: string, median: number): Effect => ({
    decision: 'stage1.width',
    from: 'less',
    to: 'more',
    metric,
    unit: 'relative',
    median,
    interval: null,
    n: 50,
    alone: 50,
    trials: [],
  });
  const remembering = (remembered: readonly Effect[]): Problem => ({ ...problem, remembered });

  test('the same trials and seed propose the same, whenever it is asked', () => {
    const agent = () => createEvolutionAgent(remembering([effect('accuracy', 0.1)]));
    const trials = runAgent(agent(), 60, 'memory');
    expect(runAgent(agent(), 60, 'memory')).toEqual(trials);
    for (const told of [16, 23, 40, 59]) {
      const rebuilt = agent();
      for (const trial of trials.slice(0, told)) rebuilt.observe(trial);
      const next = trials[told] as Trial;
      const { architecture, parents } = rebuilt.propose(new Rng('memory').fork(told + 1));
      expect({ architecture, parents }).toEqual({
        architecture: next.architecture,
        parents: next.parents,
      });
    }
  });

  test('mutations lean towards what is remembered to pay, and only lean', () => {
    const widened = (remembered: readonly Effect[]) => {
      const agent = createEvolutionAgent(remembering(remembered), { crossoverProbability: 0 });
      const trials = runAgent(createEvolutionAgent(problem), 24, 'lean');
      for (const trial of trials) agent.observe(trial);
      const at = problem.operators.decisions.findIndex(({ name }) => name === 'stage1.width');
      const widthOf = (architecture: Json) => problem.operators.choices(architecture)[at] as number;
      const steps = Array.from({ length: 400 }, (_, i) => {
        const { architecture, parents } = agent.propose(new Rng(`lean ${i}`));
        const parent = trials.find(({ id }) => id === parents[0]) as Trial;
        return Math.sign(widthOf(architecture) - widthOf(parent.architecture));
      });
      const count = (sign: number) => steps.filter((step) => step === sign).length;
      return { wider: count(1), narrower: count(-1) };
    };
    const likesWide = widened([effect('accuracy', 10), effect('latencyMs', -10)]);
    const likesNarrow = widened([effect('accuracy', -10), effect('latencyMs', 10)]);
    expect(likesWide.wider).toBeGreaterThan(1.5 * likesNarrow.wider);
    expect(likesNarrow.narrower).toBeGreaterThan(1.5 * likesWide.narrower);
    expect(likesWide.narrower).toBeGreaterThan(0);
  });
});
