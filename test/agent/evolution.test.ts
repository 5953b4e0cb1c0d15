import { describe, expect, test } from 'vitest';
import { createEvolutionAgent, EVOLUTION_DEFAULTS } from '../../src/agent/evolution.js';
import { createRandomAgent } from '../../src/agent/random.js';
import { hypervolume } from '../../src/trial/hypervolume.js';
import { costsOf, frontOf } from '../../src/trial/rank.js';
import type { Trial } from '../../src/trial/trial.js';
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
