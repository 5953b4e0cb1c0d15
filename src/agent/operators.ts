import type { Space } from '../space/space.js';
import type { Json } from '../trial/trial.js';
import type { Operators } from './agent.js';

/** A space as agents see it: the same operators, over JSON that is parsed on its way in. */
export function createOperators<A extends Json>(space: Space<A>): Operators {
  const { list } = space;
  return {
    sample: (rng) => space.sample(rng),
    mutate: (architecture, rng, changes) => space.mutate(space.parse(architecture), rng, changes),
    cross: (a, b, rng) => space.cross(space.parse(a), space.parse(b), rng),
    neighbours: (architecture, rng) => space.neighbours(space.parse(architecture), rng),
    ...(list !== undefined && { list: () => list() }),
    decisions: space.decisions,
    choices: (architecture) => space.choices(space.parse(architecture)),
    fromChoices: (choices) => space.fromChoices(choices),
    features: (architecture) => space.features(space.parse(architecture)),
  };
}
