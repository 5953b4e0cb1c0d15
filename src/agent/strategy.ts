/** The strategies that a search can be told to use, by name. */
import type { Agent, Problem } from './agent.js';
import { createEvolutionAgent } from './evolution.js';
import { createRandomAgent } from './random.js';

export interface Strategy {
  /** One line for people. */
  readonly summary: string;
  /** An agent with the strategy's defaults, named after it. */
  readonly create: (problem: Problem) => Agent;
}

export const strategies = {
  random: { summary: 'independent samples of the space', create: createRandomAgent },
  evolution: {
    summary: 'regularised evolution with crossover, by Pareto fronts',
    create: (problem) => createEvolutionAgent(problem),
  },
} as const satisfies Record<string, Strategy>;

export type StrategyName = keyof typeof strategies;

export const strategyNames = Object.keys(strategies) as [StrategyName, ...StrategyName[]];
