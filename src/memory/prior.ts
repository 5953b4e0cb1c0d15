/**
 * Remembered effects as a guess of what a change will do. For choosing among proposals only; it never
 * becomes a score.
 */
import type { Json } from '../trial/trial.js';
import { changesOf, type Effect, orient } from './effects.js';
import type { Choosing } from './memory.js';

/** Pairs at which half of a median is believed: few pairs are mostly noise. */
const HALF_BELIEVED = 3;

/**
 * Expected change of `metric` from parent to child, in the unit of the effects: the sum over the
 * decisions that differ, each shrunk towards zero by how little it rests on. Effects of the same change
 * on the same metric, from several runs, count by their pairs.
 */
export type Expectation = (parent: Json, child: Json, metric: string) => number;

export function expectationOf(effects: readonly Effect[], choosing: Choosing): Expectation {
  const sums = new Map<string, { n: number; total: number }>();
  for (const { decision, from, to, metric, median, n } of effects) {
    const key = `${decision} ${from} ${to} ${metric}`;
    const before = sums.get(key) ?? { n: 0, total: 0 };
    sums.set(key, { n: before.n + n, total: before.total + median * n });
  }
  return (parent, child, metric) => {
    const [a, b] = [choosing.choices(parent), choosing.choices(child)];
    return changesOf(a, b, choosing.decisions).reduce((sum, change) => {
      const { key, sign } = orient(change);
      const known = sums.get(`${key} ${metric}`);
      return known === undefined ? sum : sum + (sign * known.total) / (known.n + HALF_BELIEVED);
    }, 0);
  };
}
