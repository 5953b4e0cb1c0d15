/**
 * NSGA-II (Deb et al. 2002): binary tournaments among the parents of a generation, crossover and
 * mutation, and after as many children the better half of both are the next parents. Constraint
 * domination, fronts and crowding are those of `trial/rank.ts`.
 */
import { rankTrials } from '../trial/rank.js';
import type { Proposal, Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Agent, Problem } from './agent.js';
import { History } from './history.js';

const POPULATION = 20;
const CROSSOVER_PROBABILITY = 0.9;
/** Probability that a child of two parents is edited too. */
const MUTATION_PROBABILITY = 0.5;

export function createNsga2Agent(problem: Problem): Agent {
  const { operators } = problem;
  const history = new History(problem);
  /** Best first. */
  let parents: readonly Trial[] = [];
  let children: Trial[] = [];

  const select = (rng: Rng) =>
    parents[Math.min(rng.integer(parents.length), rng.integer(parents.length))] as Trial;
  const breed = (rng: Rng): Proposal => {
    const a = select(rng);
    const b = select(rng);
    if (a === b || rng.uniform() >= CROSSOVER_PROBABILITY) {
      const architecture = operators.mutate(a.architecture, rng);
      return { architecture, operator: 'mutate', parents: [a.id] };
    }
    const crossed = operators.cross(a.architecture, b.architecture, rng);
    const architecture =
      rng.uniform() < MUTATION_PROBABILITY ? operators.mutate(crossed, rng) : crossed;
    return { architecture, operator: 'crossover', parents: [a.id, b.id] };
  };

  return {
    name: 'nsga2',
    propose: (rng) =>
      parents.length === 0 ? history.sample(rng) : history.fresh(() => breed(rng)),
    observe(trial) {
      history.add(trial);
      children.push(trial);
      if (children.length < POPULATION) return;
      parents = rankTrials([...parents, ...children], problem.objectives).slice(0, POPULATION);
      children = [];
    },
  };
}
