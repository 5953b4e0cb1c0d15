/**
 * Greedy best-first search, after aira-dojo (arXiv 2507.02554): a few drafts, then always the best
 * trial is improved, or the newest one mended while it is broken. Where an improvement was all seen
 * before, the best ones are crossed.
 */
import type { Agent, Problem } from './agent.js';
import { History } from './history.js';
import { crossover, debug, draft, improve, isBroken, modelsOf } from './moves.js';
import { drawWeights } from './standing.js';

const DRAFTS = 5;
const MAX_DEBUG_DEPTH = 3;
const CROSSOVER_PROBABILITY = 0.2;
/** Trials that the mates of a crossover are drawn from. */
const ELITE = 5;

export function createGreedyAgent(problem: Problem): Agent {
  const history = new History(problem);
  /** Debugging steps that the newest own trial is the end of. */
  let debugDepth = 0;
  let newest: number | undefined;
  return {
    name: 'greedy',
    propose(rng) {
      const weights = drawWeights(problem, rng);
      const last = history.byId(newest);
      if (history.trials.length < DRAFTS) return draft(history, rng);
      if (last !== undefined && isBroken(last) && debugDepth < MAX_DEBUG_DEPTH) {
        const models = modelsOf(history, weights);
        return history.fresh(() => debug(problem, last, models, rng));
      }
      const [best, ...others] = history.best(ELITE, weights);
      if (best === undefined || best.state === 'failed') return draft(history, rng);
      return history.fresh(() =>
        others.length > 0 && rng.uniform() < CROSSOVER_PROBABILITY
          ? crossover(problem, best, rng.pick(others), rng)
          : improve(problem, best, rng),
      );
    },
    observe(trial, isOwn = true) {
      history.add(trial);
      if (!isOwn) return;
      debugDepth = trial.operator === 'debug' ? debugDepth + 1 : 0;
      newest = trial.id;
    },
  };
}
