/** Where a space cannot be scored whole: children of good trials, and random samples. */
import type { Proposal, Trial } from '../../trial/trial.js';
import type { Rng } from '../../util/random.js';
import type { Operators } from '../agent.js';

/** Probability that a child has two parents. */
const CROSSOVER_PROBABILITY = 0.3;
/** Probability of each further edit after the first of a mutation. */
const EXTRA_EDIT_PROBABILITY = 0.4;
const MAX_EDITS = 4;

/** Architectures that nobody has tried, no two alike. `parents` come best first; at most `count` are drawn. */
export function drawCandidates(
  operators: Operators,
  parents: readonly Trial[],
  count: number,
  isSeen: (key: string) => boolean,
  rng: Rng,
): Proposal[] {
  const drawn = new Map<string, Proposal>();
  for (let i = 0; i < count; i++) {
    const child = breed(operators, parents, rng);
    const key = JSON.stringify(child.architecture);
    if (!isSeen(key)) drawn.set(key, child);
  }
  return [...drawn.values()];
}

function breed(operators: Operators, parents: readonly Trial[], rng: Rng): Proposal {
  const parent = pickGood(parents, rng);
  if (rng.uniform() < CROSSOVER_PROBABILITY) {
    const mate = pickGood(parents, rng);
    if (mate !== parent) {
      const architecture = operators.cross(parent.architecture, mate.architecture, rng);
      return { architecture, operator: 'crossover', parents: [parent.id, mate.id] };
    }
  }
  let edits = 1;
  while (edits < MAX_EDITS && rng.uniform() < EXTRA_EDIT_PROBABILITY) edits++;
  const architecture = operators.mutate(parent.architecture, rng, edits);
  return { architecture, operator: 'mutate', parents: [parent.id] };
}

/** The better, the likelier: the first of two draws in their order. */
function pickGood(parents: readonly Trial[], rng: Rng): Trial {
  const i = Math.min(rng.integer(parents.length), rng.integer(parents.length));
  return parents[i] as Trial;
}
