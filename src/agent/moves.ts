/** The operators of tree searches over trials, after aira-dojo (arXiv 2507.02554). */
import type { Proposal, Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Problem } from './agent.js';
import { editTowards } from './edits.js';
import type { History } from './history.js';
import type { Weights } from './standing.js';

/** Models at most. */
const MODELS = 10;
/** Probability of a second edit of an improvement. */
const SECOND_EDIT_PROBABILITY = 0.3;

/** Something new, from nothing. */
export const draft = (history: History, rng: Rng): Proposal => history.sample(rng, 'draft');

/** A trial with an edit or two. */
export function improve({ operators }: Problem, trial: Trial, rng: Rng): Proposal {
  const edits = rng.uniform() < SECOND_EDIT_PROBABILITY ? 2 : 1;
  const architecture = operators.mutate(trial.architecture, rng, edits);
  return { architecture, operator: 'improve', parents: [trial.id] };
}

/** Failed or breaking a limit. */
export const isBroken = ({ state }: Trial): boolean => state === 'failed' || state === 'infeasible';

/** What a broken trial may be moved towards: the best that hold the limits. */
export const modelsOf = (history: History, weights: Weights): readonly Trial[] =>
  history.best(MODELS, weights, (trial) => !isBroken(trial));

/** A broken trial moved towards a model; edited where there is none yet. */
export function debug(
  { operators }: Problem,
  trial: Trial,
  models: readonly Trial[],
  rng: Rng,
): Proposal {
  if (models.length === 0) {
    const architecture = operators.mutate(trial.architecture, rng);
    return { architecture, operator: 'debug', parents: [trial.id] };
  }
  const model = rng.pick(models);
  const architecture = editTowards(operators, trial.architecture, model.architecture, rng);
  return { architecture, operator: 'debug', parents: [trial.id, model.id] };
}

/** A child of two trials. */
export function crossover({ operators }: Problem, a: Trial, b: Trial, rng: Rng): Proposal {
  const architecture = operators.cross(a.architecture, b.architecture, rng);
  return { architecture, operator: 'crossover', parents: [a.id, b.id] };
}
