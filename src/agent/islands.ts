/**
 * Island evolution: populations that breed apart and so stay different, each of the best trials it
 * has had; now and then the best of each is let into the next one.
 */
import { rankTrials } from '../trial/rank.js';
import type { Proposal, Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Agent, Problem } from './agent.js';
import { History } from './history.js';
import { crossover, debug, draft, improve, isBroken } from './moves.js';

const ISLANDS = 3;
const INITIAL_PER_ISLAND = 5;
const ISLAND_SIZE = 10;
const TOURNAMENT = 4;
const CROSSOVER_PROBABILITY = 0.4;
/** Trials from one migration to the next. */
const MIGRATION_INTERVAL = 24;

export function createIslandsAgent(problem: Problem): Agent {
  const history = new History(problem);
  /** Each best first. */
  const islands: (readonly Trial[])[] = Array.from({ length: ISLANDS }, () => []);
  const islandOf = new Map<number, number>();
  let own = 0;

  const settle = (trial: Trial, island: number) => {
    const residents = islands[island] as readonly Trial[];
    if (residents.includes(trial)) return;
    islands[island] = rankTrials([...residents, trial], problem.objectives).slice(0, ISLAND_SIZE);
  };
  const migrate = () => {
    const bests = islands.map(([best]) => best);
    bests.forEach((best, island) => {
      if (best !== undefined) settle(best, (island + 1) % ISLANDS);
    });
  };
  const breed = (residents: readonly Trial[], rng: Rng): Proposal => {
    const select = () => {
      const places = Array.from({ length: TOURNAMENT }, () => rng.integer(residents.length));
      return residents[Math.min(...places)] as Trial;
    };
    const a = select();
    if (isBroken(a)) {
      const models = residents.filter((resident) => !isBroken(resident));
      return debug(problem, a, models, rng);
    }
    const b = select();
    return a !== b && rng.uniform() < CROSSOVER_PROBABILITY
      ? crossover(problem, a, b, rng)
      : improve(problem, a, rng);
  };

  return {
    name: 'islands',
    propose(rng) {
      const residents = islands[own % ISLANDS] as readonly Trial[];
      if (residents.length < INITIAL_PER_ISLAND) return draft(history, rng);
      return history.fresh(() => breed(residents, rng));
    },
    observe(trial, isOwn = true) {
      history.add(trial);
      // A child stays where its parent was born; who comes from outside is spread evenly.
      const island = isOwn ? own++ % ISLANDS : trial.id % ISLANDS;
      settle(trial, islandOf.get(trial.parents[0] ?? 0) ?? island);
      islandOf.set(trial.id, island);
      if (history.trials.length % MIGRATION_INTERVAL === 0) migrate();
    },
  };
}
