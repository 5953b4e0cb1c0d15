import { describe, expect, test } from 'vitest';
import { createBayesAgent } from '../../src/agent/bayes.js';
import { createOperators } from '../../src/agent/operators.js';
import { createRandomAgent } from '../../src/agent/random.js';
import { runQueries } from '../../src/search/queries.js';
import { createCellSpace } from '../../src/space/cell.js';
import { hypervolume } from '../../src/trial/hypervolume.js';
import { violationsOf } from '../../src/trial/objective.js';
import { costsOf, frontOf } from '../../src/trial/rank.js';
import type { Json, Trial } from '../../src/trial/trial.js';
import { Rng } from '../../src/util/random.js';
import { testAgentContract } from './contract.js';
import { objectives, problem, runAgent } from './landscape.js';

testAgentContract({
  create: createBayesAgent,
  module: 'agent/bayes.js',
  factory: 'createBayesAgent',
});

const volumeOf = (trials: readonly Trial[]) =>
  hypervolume(
    frontOf(trials, objectives).map(({ metrics }) => costsOf(metrics, objectives)),
    [-0.5, 0.3],
  );
const bestOf = (trials: readonly Trial[]) => frontOf(trials, objectives)[0]?.metrics.accuracy ?? 0;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('Bayesian optimisation', () => {
  test('beats random search on the landscape by front and by best, over 12 seeds', () => {
    const runs = Array.from({ length: 12 }, (_, seed) => ({
      modelled: runAgent(createBayesAgent(problem), 50, `seed ${seed}`),
      random: runAgent(createRandomAgent(problem), 50, `seed ${seed}`),
    }));
    for (const score of [bestOf, volumeOf]) {
      const gains = runs.map(({ modelled, random }) => score(modelled) - score(random));
      const gain = mean(gains);
      const standardError = Math.sqrt(mean(gains.map((g) => (g - gain) ** 2)) / (gains.length - 1));
      console.info(`${score.name}: gains ${gain.toFixed(4)} ± ${standardError.toFixed(4)}`);
      expect(gain / standardError).toBeGreaterThan(2);
    }
  });

  const cells = createOperators(
    createCellSpace({ channels: 3, height: 32, width: 32, classes: 10 }),
  );
  const count = (architecture: unknown, operation: string) =>
    String(architecture).split(operation).length - 1;
  /** Wants wide convolutions and a way past them; narrow ones are fast. */
  const oracle = (architecture: unknown) => ({
    score:
      count(architecture, 'nor_conv_3x3') +
      0.6 * count(architecture, 'nor_conv_1x1') +
      (String(architecture).includes('|skip_connect~0|nor_conv') ? 2 : 0),
    latency: 1 + 3 * count(architecture, 'nor_conv_3x3') + count(architecture, 'nor_conv_1x1'),
  });
  const limit = { metric: 'latency', max: 5 };
  const limited = {
    operators: cells,
    objectives: [{ metric: 'score', direction: 'maximize' }],
    constraints: [limit],
  } as const;

  test('on a listed space it repeats nothing, learns the limit, and finds the best within it', () => {
    const trials = runQueries({
      agent: createBayesAgent(limited),
      oracle,
      constraints: [limit],
      queries: 60,
      rng: new Rng('listed'),
    });
    expect(new Set(trials.map(({ description }) => description)).size).toBe(60);
    expect(new Set(trials.slice(20).map(({ operator }) => operator))).toEqual(new Set(['model']));
    const feasible = (cells.list?.() ?? []).map(oracle).filter(({ latency }) => latency <= 5);
    const complete = trials.filter(({ state }) => state === 'complete');
    const best = Math.max(...complete.map(({ metrics }) => metrics.score as number));
    expect(best).toBe(Math.max(...feasible.map(({ score }) => score)));
    const share = (some: readonly Trial[]) =>
      some.filter(({ state }) => state === 'complete').length / some.length;
    const chance = feasible.length / 15_625;
    expect(share(trials.slice(30))).toBeGreaterThan(chance);
  });

  test('told much at once, it goes on as one does that was asked in between', () => {
    const rng = new Rng('bulk');
    const asked = createBayesAgent(limited);
    const trials: Trial[] = [];
    for (let id = 1; id <= 330; id++) {
      const own = asked.propose(rng.fork(id));
      // Told of others, so that the pool holds good and bad ones.
      const architecture = id % 3 === 0 ? own.architecture : cells.sample(rng.fork(`other ${id}`));
      const metrics = oracle(architecture);
      const description = String(architecture);
      const base = { id, agent: 'bayes', operator: 'x', parents: [], architecture, description };
      const rest = { ...base, hash: description, costSeconds: 1, metrics };
      const violations = violationsOf(metrics, [limit]);
      const trial: Trial =
        violations.length === 0
          ? { ...rest, state: 'complete' }
          : { ...rest, state: 'infeasible', stage: 'measure', violations };
      asked.observe(trial);
      trials.push(trial);
      // Before, at and after fits, while the next generation is made ready and when it is.
      if (![21, 23, 24, 150, 290, 300, 330].includes(id)) continue;
      const told = createBayesAgent(limited);
      for (const each of trials) told.observe(each);
      expect(told.propose(rng.fork('next'))).toEqual(asked.propose(rng.fork('next')));
    }
  });

  test('goes round what fails', () => {
    const agent = createBayesAgent({ ...limited, constraints: [] });
    const rng = new Rng('failing');
    let failed = 0;
    for (let id = 1; id <= 80; id++) {
      const proposal = agent.propose(rng.fork(id));
      const fails = String(proposal.architecture).includes('nor_conv_3x3~0');
      if (fails && id > 40) failed++;
      const description = String(proposal.architecture);
      const base = { ...proposal, id, agent: 'bayes', hash: description, description };
      agent.observe(
        fails
          ? {
              ...base,
              state: 'failed',
              stage: 'train',
              reason: 'diverged',
              metrics: {},
              costSeconds: 1,
            }
          : { ...base, state: 'complete', metrics: oracle(proposal.architecture), costSeconds: 1 },
      );
    }
    // Half of all cells have it, and more of those that score well.
    expect(failed).toBeLessThan(10);
  });

  test('an ask looks at as many architectures after 2,000 trials as after 400', () => {
    let looks = 0;
    const counted = {
      ...problem,
      operators: {
        ...problem.operators,
        features: (architecture: Json) => {
          looks++;
          return problem.operators.features(architecture);
        },
      },
    };
    const agent = createBayesAgent(counted);
    const known = runAgent(createRandomAgent(problem), 40, 'many');
    const looksOfAsk = (from: number, to: number) => {
      for (let id = from; id <= to; id++) agent.observe({ ...(known[id % 40] as Trial), id });
      looks = 0;
      agent.propose(new Rng('count'));
      return looks;
    };
    const early = looksOfAsk(1, 400);
    const late = looksOfAsk(401, 2000);
    expect(early).toBeGreaterThan(0);
    expect(late).toBeLessThanOrEqual(40);
  });
});
