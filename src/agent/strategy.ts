/** The strategies that a search can be told to use, by name. */
import type { Agent, Problem } from './agent.js';
import { createBanditAgent } from './bandit.js';
import { createBayesAgent } from './bayes.js';
import { createEnsembleAgent } from './ensemble.js';
import { createEvolutionAgent } from './evolution.js';
import { createExhaustiveAgent } from './exhaustive.js';
import { createGreedyAgent } from './greedy.js';
import { createIslandsAgent } from './islands.js';
import { createLocalSearchAgent } from './local-search.js';
import { createMctsAgent } from './mcts.js';
import { createNsga2Agent } from './nsga2.js';
import { createRandomAgent } from './random.js';
import { createReinforceAgent } from './reinforce.js';

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
  exhaustive: {
    summary: 'all of a space that can be listed, in random order',
    create: createExhaustiveAgent,
  },
  'local-search': {
    summary: 'the best neighbour, until none is better; then anew',
    create: createLocalSearchAgent,
  },
  nsga2: { summary: 'NSGA-II: generations by front and crowding', create: createNsga2Agent },
  bandit: { summary: 'edits of the decisions that have paid', create: createBanditAgent },
  reinforce: { summary: 'a distribution per decision, by REINFORCE', create: createReinforceAgent },
  greedy: { summary: 'the best trial improved, broken ones mended', create: createGreedyAgent },
  mcts: { summary: 'Monte Carlo tree search over trials', create: createMctsAgent },
  islands: { summary: 'evolution on islands with migration', create: createIslandsAgent },
  ensemble: {
    summary: 'several strategies that share trials, and the budget by credit',
    create: (problem) => createEnsembleAgent(problem),
  },
  bayes: {
    summary: 'Gaussian processes over features, expected improvement within the limits',
    create: (problem) => createBayesAgent(problem),
  },
} as const satisfies Record<string, Strategy>;

export type StrategyName = keyof typeof strategies;

export const strategyNames = Object.keys(strategies) as [StrategyName, ...StrategyName[]];
