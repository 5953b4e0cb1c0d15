/**
 * Points of a listed space that a generation of surrogates judges: all untried ones in reach of an edit
 * from good trials, and random others. Judging the whole list would cost as much more as it is longer.
 */
import type { Trial } from '../../trial/trial.js';
import { Rng } from '../../util/random.js';
import type { Operators } from '../agent.js';
import type { Listing } from './listing.js';

/**
 * Points of a pool. The cost goes with it; so many keep ask plus tell at a few milliseconds
 * (`benchmarks/ask-tell.mjs`). On CIFAR-10 of NAS-Bench-201 it finds as good cells within 50 and 100
 * queries as where all cells are judged.
 */
const POOL_SIZE = 1000;
/** Draws per point before random ones are looked for one by one. */
const MAX_DRAWS = 2;

export class Pool {
  readonly #operators: Operators;
  readonly #listing: Listing;
  readonly #tried: Uint8Array;

  constructor(operators: Operators, listing: Listing) {
    this.#operators = operators;
    this.#listing = listing;
    this.#tried = new Uint8Array(listing.points.length);
  }

  /** Takes the point of a trial for tried. */
  add({ architecture }: Trial): void {
    const group = this.#listing.groupOf.get(JSON.stringify(architecture));
    if (group !== undefined) this.#tried[group] = 1;
  }

  isTried(group: number): boolean {
    return this.#tried[group] === 1;
  }

  /** Indices of untried points, each once: near the parents first. A function of its arguments and what was tried. */
  draw(parents: readonly Trial[], seed: number): number[] {
    const { points } = this.#listing;
    const drawn = new Set<number>();
    const add = (group: number) => {
      if (drawn.size < POOL_SIZE && !this.isTried(group)) drawn.add(group);
    };
    for (const parent of parents) for (const group of this.#around(parent)) add(group);
    const rng = new Rng(`pool ${seed}`);
    for (let i = 0; i < MAX_DRAWS * POOL_SIZE; i++) add(rng.integer(points.length));
    // Few are left untried: all of them, from a random one on.
    const start = rng.integer(points.length);
    for (let i = 0; i < points.length && drawn.size < POOL_SIZE; i++) {
      add((start + i) % points.length);
    }
    return [...drawn];
  }

  #around({ architecture }: Trial): readonly number[] {
    const { around, groupOf } = this.#listing;
    const key = JSON.stringify(architecture);
    let groups = around.get(key);
    if (groups === undefined) {
      const neighbours = this.#operators.neighbours(architecture, new Rng(key));
      groups = neighbours.flatMap((each) => groupOf.get(JSON.stringify(each)) ?? []);
      around.set(key, groups);
    }
    return groups;
  }
}
