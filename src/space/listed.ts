/**
 * A space of which only some points are known, such as those that a table has scores for. Operators
 * stay among these points: what they would make of a point is taken to the nearest one that is listed,
 * by the number of decisions that differ.
 */
import { UsageError } from '../errors.js';
import type { Rng } from '../util/random.js';
import type { Space } from './space.js';

/** What points are made of; the operators are made here. */
export type PointForm<A> = Omit<
  Space<A>,
  'sample' | 'mutate' | 'cross' | 'neighbours' | 'list' | 'fromChoices'
>;

/** Most neighbours that are looked at. */
const MOST_NEIGHBOURS = 64;

/** The space of `points`, at least two, each once and as `form.parse` gives it. */
export function createListedSpace<A>(form: PointForm<A>, points: readonly A[]): Space<A> {
  if (points.length < 2) {
    throw new UsageError(
      `space ${form.name}: expected two architectures or more, received ${points.length}`,
    );
  }
  const keyOf = (point: A) => JSON.stringify(point);
  const known = new Set(points.map(keyOf));
  const rows = points.map((point) => form.choices(point));
  const at = (indices: readonly number[], rng: Rng) => points[rng.pick(indices)] as A;
  const others = (choices: readonly number[]) => {
    const distances = rows.map((row) => distanceOf(row, choices));
    return closest(distances, (distance) => (distance === 0 ? Infinity : distance));
  };
  return {
    ...form,
    parse(json) {
      const point = form.parse(json);
      if (known.has(keyOf(point))) return point;
      throw new UsageError(
        `architecture: expected one of the ${points.length} that are listed, received ${form.describe(point)}`,
      );
    },
    sample: (rng) => rng.pick(points),
    mutate(architecture, rng, changes = 1) {
      const choices = form.choices(architecture);
      const distances = rows.map((row) => distanceOf(row, choices));
      const rate = (distance: number) => (distance === 0 ? Infinity : Math.abs(distance - changes));
      return at(closest(distances, rate), rng);
    },
    cross(a, b, rng) {
      const [left, right] = [form.choices(a), form.choices(b)];
      const mixed = left.map((own, i) => (rng.uniform() < 0.5 ? own : (right[i] as number)));
      return at(closestTo(rows, mixed), rng);
    },
    neighbours: (architecture, rng) =>
      rng
        .shuffle(others(form.choices(architecture)))
        .slice(0, MOST_NEIGHBOURS)
        .map((index) => points[index] as A),
    list: () => points,
    fromChoices: (choices) => points[closestTo(rows, choices)[0] as number] as A,
  };
}

/** Number of decisions that differ. */
function distanceOf(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, choice, i) => sum + Number(choice !== b[i]), 0);
}

function closestTo(rows: readonly (readonly number[])[], choices: readonly number[]): number[] {
  return closest(
    rows.map((row) => distanceOf(row, choices)),
    (distance) => distance,
  );
}

/** Indices of the values that are rated least, in their order. */
function closest(values: readonly number[], rate: (value: number) => number): number[] {
  const rated = values.map(rate);
  const least = rated.reduce((a, b) => Math.min(a, b), Infinity);
  return rated.flatMap((value, index) => (value === least ? [index] : []));
}
