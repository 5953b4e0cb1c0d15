import type { Agent, Problem } from './agent.js';

/** Random search: independent samples of the space. The baseline of every search. */
export function createRandomAgent(problem: Problem): Agent {
  return {
    name: 'random',
    propose: (rng) => ({
      architecture: problem.operators.sample(rng),
      operator: 'sample',
      parents: [],
    }),
    observe: () => {},
  };
}
