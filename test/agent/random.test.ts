import { expect, test } from 'vitest';
import { createRandomAgent } from '../../src/agent/random.js';
import { testAgentContract } from './contract.js';
import { problem, runAgent } from './landscape.js';

testAgentContract({
  create: createRandomAgent,
  module: 'agent/random.js',
  factory: 'createRandomAgent',
});

test('random search proposes samples without parents, each different', () => {
  const trials = runAgent(createRandomAgent(problem), 30, 1);
  expect(trials.every(({ operator, parents }) => operator === 'sample' && !parents.length)).toBe(
    true,
  );
  expect(new Set(trials.map(({ hash }) => hash)).size).toBe(30);
});
