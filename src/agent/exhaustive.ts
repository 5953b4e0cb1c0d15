/** Every architecture of a space that can be listed, in random order: what any strategy can find. */
import { UsageError } from '../errors.js';
import type { Agent, Problem } from './agent.js';

/** @throws UsageError where the space has too many architectures to be listed. */
export function createExhaustiveAgent({ operators }: Problem): Agent {
  if (operators.list === undefined) {
    throw new UsageError(
      'agent exhaustive: expected a space that can be listed, such as cell; received one with too many architectures; use local-search or evolution',
    );
  }
  const all = operators.list();
  const left = [...all];
  const places = new Map(all.map((architecture, i) => [JSON.stringify(architecture), i]));
  return {
    name: 'exhaustive',
    propose(rng) {
      // After the last one it repeats itself, and the run retires it.
      const architecture = rng.pick(left.length > 0 ? left : all);
      return { architecture, operator: 'list', parents: [] };
    },
    observe({ architecture }) {
      const key = JSON.stringify(architecture);
      const place = places.get(key);
      if (place === undefined) return;
      const last = left.pop() as (typeof left)[number];
      if (place < left.length) {
        left[place] = last;
        places.set(JSON.stringify(last), place);
      }
      places.delete(key);
    },
  };
}
