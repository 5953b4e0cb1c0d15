/** Which rows a process rests on where there are too many: its cost goes with their square. */
import { squaredDistance } from './gaussian-process.js';

export interface Row {
  /** Scaled features. */
  readonly point: Float64Array;
}

/** What turns rows into what a process is fitted to. */
export interface Task<R extends Row> {
  /** Targets of rows that the kernel has to suit: one or several sets. */
  readonly fitTargets: (rows: readonly R[]) => readonly (readonly number[])[];
  /** Of each row, the smaller the more it matters. */
  readonly importance: (rows: readonly R[]) => readonly number[];
}

/**
 * Rows that a fit starts from at most. The cost goes with its square; so many keep ask plus tell at a few
 * milliseconds (`benchmarks/ask-tell.mjs`), and hold all that a search of a hundred trials knows.
 */
export const MAX_ROWS = 128;

/**
 * At most `MAX_ROWS` rows in their order: a third each of those that matter most, the newest, and
 * others far from all that were chosen (farthest-first traversal, Gonzalez 1985).
 */
export function chooseRows<R extends Row>(
  rows: readonly R[],
  importance: Task<R>['importance'],
): readonly R[] {
  const count = rows.length;
  if (count <= MAX_ROWS) return rows;
  const values = importance(rows);
  // None tells more than another, such as where nothing failed.
  if (values.every((value) => value === values[0])) return rows.slice(-MAX_ROWS);
  const third = Math.floor(MAX_ROWS / 3);
  const ranked = values
    .map((value, i) => ({ value, i }))
    .sort((a, b) => a.value - b.value || b.i - a.i);
  const chosen = new Set(ranked.slice(0, third).map(({ i }) => i));
  for (let i = count - 1; chosen.size < 2 * third; i--) chosen.add(i);
  const others = [...rows.keys()].filter((i) => !chosen.has(i));
  const points = flatten(others.map((i) => (rows[i] as R).point));
  /** Squared distance of each of the others to the nearest chosen one; −1 once it is chosen. */
  const distances = new Float64Array(others.length).fill(Number.POSITIVE_INFINITY);
  for (const i of chosen) approach(distances, points, (rows[i] as R).point);
  while (chosen.size < MAX_ROWS) {
    let farthest = 0;
    for (let k = 1; k < distances.length; k++) {
      if ((distances[k] as number) > (distances[farthest] as number)) farthest = k;
    }
    const i = others[farthest] as number;
    chosen.add(i);
    approach(distances, points, (rows[i] as R).point);
    distances[farthest] = -1;
  }
  return rows.filter((_, i) => chosen.has(i));
}

/** Lowers distances of points to those to `target` where that is nearer. */
function approach(distances: Float64Array, points: Float64Array, target: Float64Array): void {
  for (let k = 0; k < distances.length; k++) {
    const square = squaredDistance(points, target, k * target.length);
    if (square < (distances[k] as number)) distances[k] = square;
  }
}

/** Points one after the other. */
export function flatten(points: readonly Float64Array[]): Float64Array {
  const width = points[0]?.length ?? 0;
  const flat = new Float64Array(points.length * width);
  points.forEach((point, i) => {
    flat.set(point, i * width);
  });
  return flat;
}
