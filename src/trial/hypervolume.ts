/**
 * Volume that a set of points dominates, up to a reference point: one number for the quality of a
 * front. Exact, for any number of objectives, all minimised. Algorithm: WFG (While, Bradstreet and
 * Barone, "A Fast Way of Calculating Exact Hypervolumes", 2012), with a sweep for two dimensions.
 * Exponential in the number of objectives at worst; instant for tens of points and up to five.
 */
import { type Costs, paretoFront } from './pareto.js';

/** Points that do not better the reference in every coordinate add nothing. */
export function hypervolume(points: readonly Costs[], reference: Costs): number {
  const inside = points.filter((point) =>
    point.every((cost, d) => cost < (reference[d] as number)),
  );
  return volumeOf(distinctFront(inside), reference);
}

function volumeOf(front: readonly Costs[], reference: Costs): number {
  if (front.length === 0) return 0;
  if (reference.length === 2) return areaOf(front, reference);
  // Worst last coordinate first: its limit sets collapse the soonest.
  const sorted = [...front].sort((a, b) => (b.at(-1) as number) - (a.at(-1) as number));
  return sorted.reduce((sum, point, i) => {
    const limited = sorted.slice(i + 1).map((other) => worstOf(point, other));
    return sum + boxOf(point, reference) - volumeOf(distinctFront(limited), reference);
  }, 0);
}

/** Two dimensions: boxes between neighbours along the first coordinate. */
function areaOf(front: readonly Costs[], reference: Costs): number {
  let ceiling = reference[1] as number;
  let area = 0;
  for (const point of [...front].sort((a, b) => (a[0] as number) - (b[0] as number))) {
    const [x, y] = point as [number, number];
    area += ((reference[0] as number) - x) * (ceiling - y);
    ceiling = y;
  }
  return area;
}

function boxOf(point: Costs, reference: Costs): number {
  return point.reduce((volume, cost, d) => volume * ((reference[d] as number) - cost), 1);
}

function worstOf(a: Costs, b: Costs): Costs {
  return a.map((cost, d) => Math.max(cost, b[d] as number));
}

function distinctFront(points: readonly Costs[]): Costs[] {
  const distinct = [...new Map(points.map((point) => [point.join(), point])).values()];
  return paretoFront(distinct).map((i) => distinct[i] as Costs);
}
