/**
 * Random deformation of stroke points: an affine map, then an elastic one (a smooth displacement
 * field; after P. Simard, D. Steinkraus, J. Platt, "Best practices for convolutional neural
 * networks applied to visual document analysis", ICDAR 2003). The points move, not the pixels: lines stay
 * sharp. Rotations come from half-angle tangents, so only + − × ÷ are used.
 */
import type { Rng } from '../util/random.js';

export interface WarpOptions {
  /** Glyph unit (half the design square) in pixels, least and most. */
  readonly scale: readonly [number, number];
  /** Largest ratio of the two axes' scales, as a fraction over 1. */
  readonly stretch: number;
  /** Largest tangent of half the rotation angle. */
  readonly halfTurn: number;
  /** Largest horizontal shear per unit of height. */
  readonly shear: number;
  /** Largest shift from the centre, in pixels. */
  readonly shift: number;
  /** Largest elastic displacement of a grid node, in glyph units. */
  readonly elastic: number;
}

/** Maps a point of the design square to pixels. */
export type Warp = (x: number, y: number) => readonly [number, number];

/** Nodes per side of the displacement grid, which covers [−1.5, 1.5]². */
const gridSide = 5;
const gridReach = 1.5;

export function createWarp(side: number, options: WarpOptions, rng: Rng): Warp {
  const scale = rng.range(...options.scale);
  const stretch = 1 + options.stretch * rng.range(-1, 1);
  const shear = options.shear * rng.range(-1, 1);
  const t = options.halfTurn * rng.range(-1, 1);
  const cos = (1 - t * t) / (1 + t * t);
  const sin = (2 * t) / (1 + t * t);
  const centreX = (side - 1) / 2 + options.shift * rng.range(-1, 1);
  const centreY = (side - 1) / 2 + options.shift * rng.range(-1, 1);
  const field = Array.from(
    { length: 2 * gridSide * gridSide },
    () => options.elastic * rng.range(-1, 1),
  );

  return (x, y) => {
    const [moveX, moveY] = sampleField(field, x, y);
    const u = (x + moveX) * stretch + (y + moveY) * shear;
    const v = y + moveY;
    return [centreX + scale * (cos * u - sin * v), centreY + scale * (sin * u + cos * v)];
  };
}

/** Interpolation between the four nodes around a point, with zero slope at the nodes (smoothstep). */
function sampleField(field: readonly number[], x: number, y: number): readonly [number, number] {
  const [column, across] = locate(x);
  const [row, down] = locate(y);
  let moveX = 0;
  let moveY = 0;
  for (const [node, weight] of [
    [row * gridSide + column, (1 - across) * (1 - down)],
    [row * gridSide + column + 1, across * (1 - down)],
    [(row + 1) * gridSide + column, (1 - across) * down],
    [(row + 1) * gridSide + column + 1, across * down],
  ] as const) {
    moveX += weight * (field[2 * node] as number);
    moveY += weight * (field[2 * node + 1] as number);
  }
  return [moveX, moveY];
}

/** The grid cell of a coordinate and the smoothed position in it. */
function locate(coordinate: number): readonly [number, number] {
  const cells = gridSide - 1;
  const position = Math.min(
    cells,
    Math.max(0, ((coordinate + gridReach) / (2 * gridReach)) * cells),
  );
  const cell = Math.min(cells - 1, Math.floor(position));
  const t = position - cell;
  return [cell, t * t * (3 - 2 * t)];
}
