/**
 * Which trials count for a proposal that goes out from a given trial (the scopes of aira-dojo, Toledo
 * et al., arXiv 2507.02554): its siblings, so that children of one parent differ; its ancestors, so
 * that a repair knows what was tried before it; or all.
 */
import { UsageError } from '../errors.js';
import type { Trial } from '../trial/trial.js';

export const scopes = ['global', 'ancestor', 'sibling'] as const;
export type Scope = (typeof scopes)[number];

/**
 * The trials of a scope in their order.
 * - `sibling`: trial `id` and all that share a parent with it.
 * - `ancestor`: trial `id`, its parents, their parents and so on.
 * @throws UsageError where the scope needs a trial and none of that number was given.
 */
export function trialsInScope(
  trials: readonly Trial[],
  scope: Scope,
  id: number | undefined,
): readonly Trial[] {
  if (scope === 'global') return trials;
  const byId = new Map(trials.map((trial) => [trial.id, trial]));
  const origin = id === undefined ? undefined : byId.get(id);
  if (origin === undefined) {
    throw new UsageError(
      `scope ${scope}: expected a trial of the run that has ended, received ${id ?? 'none'}`,
    );
  }
  if (scope === 'sibling') {
    const isSibling = ({ parents }: Trial) => parents.some((one) => origin.parents.includes(one));
    return trials.filter((trial) => trial === origin || isSibling(trial));
  }
  const found = new Set([origin]);
  // A set is walked in the order of insertion, what is added on the way included.
  for (const { parents } of found) {
    for (const parent of parents) {
      const known = byId.get(parent);
      if (known !== undefined) found.add(known);
    }
  }
  return trials.filter((trial) => found.has(trial));
}
