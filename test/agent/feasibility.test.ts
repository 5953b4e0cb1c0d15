import { expect, test } from 'vitest';
import type { Problem } from '../../src/agent/agent.js';
import { Feasibility } from '../../src/agent/feasibility.js';
import type { Trial } from '../../src/trial/trial.js';
import { Rng } from '../../src/util/random.js';
import { problem } from './landscape.js';

/** Architectures are their own features. */
const features = (architecture: unknown) => Float64Array.from(architecture as number[]);

const world = (max: number): Problem => ({
  ...problem,
  operators: { ...problem.operators, features },
  constraints: [{ metric: 'latencyMs', max }],
});

const trialOf = (architecture: readonly number[], latencyMs: number): Trial => ({
  id: 1,
  agent: 'a',
  operator: 'sample',
  parents: [],
  architecture,
  hash: '',
  description: '',
  costSeconds: 0,
  state: 'complete',
  metrics: { latencyMs },
});

test.each([
  ['add up', (x: readonly number[]) => 1 + 2 * (x[0] ?? 0) + (x[1] ?? 0) + 4 * (x[2] ?? 0)],
  ['multiply', (x: readonly number[]) => Math.exp((x[0] ?? 0) + 2 * (x[1] ?? 0) - (x[2] ?? 0))],
])('where costs %s, broken limits are foretold from 40 trials', (_, latency) => {
  const rng = new Rng('limits');
  const draw = () => [rng.uniform() * 2, rng.uniform() * 2, rng.uniform() * 2];
  const limit = 6;
  const feasibility = new Feasibility(world(limit));
  for (let i = 0; i < 40; i++) {
    const x = draw();
    feasibility.add(trialOf(x, latency(x)));
  }
  // Near the limit either answer may do.
  const probes = Array.from({ length: 400 }, draw).filter(
    (x) => Math.abs(latency(x) / limit - 1) > 0.2,
  );
  const right = probes.filter((x) => feasibility.isDoubtful(x) === latency(x) > limit);
  expect(probes.filter((x) => latency(x) > limit).length).toBeGreaterThan(50);
  expect(right.length / probes.length).toBeGreaterThan(0.95);
});

test('it says nothing from a few trials, from failed ones, or without limits', () => {
  const feasibility = new Feasibility(world(1));
  for (let i = 0; i < 11; i++) feasibility.add(trialOf([i], 100));
  expect(feasibility.isDoubtful([3])).toBe(false);
  const failed = { ...trialOf([1], 100), state: 'failed', stage: 'train', reason: '' } as const;
  feasibility.add({ ...failed, metrics: {} });
  expect(feasibility.isDoubtful([3])).toBe(false);
  feasibility.add(trialOf([11], 100));
  expect(feasibility.isDoubtful([3])).toBe(true);
  const free = new Feasibility({ ...world(1), constraints: [] });
  for (let i = 0; i < 20; i++) free.add(trialOf([i], 100));
  expect(free.isDoubtful([3])).toBe(false);
});
