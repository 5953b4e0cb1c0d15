/**
 * Pareto dominance over points whose coordinates are all to be minimised. Functions return indices
 * into `points`, in ascending order unless they say otherwise.
 */

/** Coordinates of one point, each to be minimised. */
export type Costs = readonly number[];

/** Whether `a` is nowhere worse than `b` and somewhere better. */
export function dominates(a: Costs, b: Costs): boolean {
  let better = false;
  for (let i = 0; i < a.length; i++) {
    const x = a[i] as number;
    const y = b[i] as number;
    if (x > y) return false;
    if (x < y) better = true;
  }
  return better;
}

/** The points that no other dominates; equal points are all kept. */
export function paretoFront(points: readonly Costs[]): number[] {
  return [...points.keys()].filter((i) =>
    points.every((other) => !dominates(other, points[i] as Costs)),
  );
}

/** All points by front: the first holds the non-dominated ones, the next those of the rest, and so on. */
export function nonDominatedSort(points: readonly Costs[]): number[][] {
  const fronts: number[][] = [];
  let rest = [...points.keys()];
  while (rest.length > 0) {
    const remaining = rest.map((i) => points[i] as Costs);
    const first = new Set(paretoFront(remaining).map((j) => rest[j] as number));
    fronts.push([...first]);
    rest = rest.filter((i) => !first.has(i));
  }
  return fronts;
}

/**
 * How far the neighbours of each point are, summed over the coordinates, each scaled to [0, 1]
 * (NSGA-II, Deb et al. 2002). Infinite for the ends of a coordinate that varies.
 */
export function crowdingDistance(points: readonly Costs[]): number[] {
  const distance = points.map(() => 0);
  const dimensions = points[0]?.length ?? 0;
  for (let d = 0; d < dimensions; d++) {
    const at = (i: number | undefined) => points[i as number]?.[d] as number;
    const order = [...points.keys()].sort((i, j) => at(i) - at(j) || i - j);
    const first = order[0] as number;
    const last = order.at(-1) as number;
    const range = at(last) - at(first);
    if (!(range > 0 && Number.isFinite(range))) continue;
    order.forEach((i, rank) => {
      const gap =
        i === first || i === last ? Infinity : (at(order[rank + 1]) - at(order[rank - 1])) / range;
      distance[i] = (distance[i] as number) + gap;
    });
  }
  return distance;
}
