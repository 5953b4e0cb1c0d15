/**
 * Local search (White, Nolen and Savani, arXiv 2005.02960): the neighbours of a point are tried in
 * random order, then the best of them is the next point; at a local optimum it starts anew, from the
 * best trial of other agents where that is the best of all, else from a sample.
 */
import type { Trial } from '../trial/trial.js';
import { Rng } from '../util/random.js';
import type { Agent, Problem } from './agent.js';
import { History } from './history.js';
import { drawWeights, type Weights } from './standing.js';

/** Neighbours tried of a point at most: all of a cell's, a part where there are hundreds. */
const NEIGHBOURHOOD = 24;

/** A climb: where it stands, and what it found around there. */
interface Climb {
  readonly current: Trial;
  readonly best: Trial;
  readonly tried: number;
  readonly weights: Weights;
}

export function createLocalSearchAgent(problem: Problem): Agent {
  const { operators } = problem;
  const history = new History(problem);
  const climbed = new Set<number>();
  let climb: Climb | undefined;

  const begin = (current: Trial): Climb => {
    // The weights follow from the start alone: told the same, a rebuilt agent climbs the same way.
    const weights = drawWeights(problem, new Rng(JSON.stringify(current.architecture)));
    return { current, best: current, tried: 0, weights };
  };
  /** Points to go on from, in this order: the current one, the best around it, the best of all. */
  const stands = ({ current, best, tried, weights }: Climb): Trial[] => {
    const [first] = history.best(1, weights);
    const isForeign = first !== undefined && !climbed.has(first.id);
    return [
      ...(tried < NEIGHBOURHOOD ? [current] : []),
      ...(best === current ? [] : [best]),
      ...(isForeign ? [first] : []),
    ];
  };

  return {
    name: 'local-search',
    propose(rng) {
      if (climb === undefined || climb.current.state === 'failed') return history.sample(rng);
      for (const from of stands(climb)) {
        const open = operators
          .neighbours(from.architecture, rng)
          .filter((architecture) => !history.isSeen(architecture));
        if (open.length === 0) continue;
        const promising = open.filter((architecture) => !history.isDoubtful(architecture));
        const architecture = rng.pick(promising.length > 0 ? promising : open);
        return { architecture, operator: 'neighbour', parents: [from.id] };
      }
      return history.sample(rng);
    },
    observe(trial, isOwn = true) {
      history.add(trial);
      if (!isOwn) return;
      const from = history.byId(trial.parents[0]) ?? trial;
      if (climb?.best === from)
        climb = { ...climb, current: from, tried: climb.current === from ? climb.tried : 0 };
      else if (climb?.current !== from) climb = begin(from);
      const best = history.better(climb.best, trial, climb.weights);
      climb = { ...climb, best, tried: climb.tried + 1 };
      climbed.add(climb.current.id).add(trial.id);
    },
  };
}
