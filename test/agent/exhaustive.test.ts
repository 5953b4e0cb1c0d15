import { expect, test } from 'vitest';
import { createExhaustiveAgent } from '../../src/agent/exhaustive.js';
import { UsageError } from '../../src/errors.js';
import { testAgentContract } from './contract.js';
import { cellWorld, problem, runAgent } from './landscape.js';

testAgentContract({
  create: createExhaustiveAgent,
  module: 'agent/exhaustive.js',
  factory: 'createExhaustiveAgent',
  world: cellWorld,
});

test('it goes through a whole space, each architecture once, and then repeats itself', () => {
  const all = ['a', 'b', 'c', 'd', 'e'];
  const operators = { ...cellWorld.problem.operators, list: () => all };
  const agent = createExhaustiveAgent({ ...cellWorld.problem, operators });
  const world = { ...cellWorld, read: (json: unknown) => json as string };
  const told = runAgent(
    agent,
    6,
    1,
    (_, base) => ({ ...base, state: 'complete', metrics: {} }),
    world,
  );
  const architectures = told.map(({ architecture }) => architecture);
  expect(architectures.slice(0, 5).toSorted()).toEqual(all);
  expect(all).toContain(architectures[5]);
});

test('a space that cannot be listed is refused in one line', () => {
  expect(() => createExhaustiveAgent(problem)).toThrow(UsageError);
  expect(() => createExhaustiveAgent(problem)).toThrow(/expected a space that can be listed/);
});
