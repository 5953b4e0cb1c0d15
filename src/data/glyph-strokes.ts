/**
 * The alphabet of the generated set: ten signs made for it, drawn by strokes in the square
 * [−1, 1]² with y downwards. They come in pairs that differ in one detail, so that a net has to see
 * both the whole shape and the detail.
 *
 * Only + − × ÷ are used, no trigonometry: every engine gives the same bits.
 */

/** x, y, x, y, … */
export type Polyline = readonly number[];

export interface Glyph {
  readonly name: string;
  readonly strokes: readonly Polyline[];
}

/** Straight pieces through the given points, cut finely enough to be bent. */
function line(...corners: readonly number[]): Polyline {
  const pieces = 4;
  const points = [corners[0] as number, corners[1] as number];
  for (let i = 2; i < corners.length; i += 2) {
    const [x0, y0, x1, y1] = corners.slice(i - 2, i + 2) as [number, number, number, number];
    for (let piece = 1; piece <= pieces; piece++) {
      const t = piece / pieces;
      points.push(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t);
    }
  }
  return points;
}

/**
 * Part of an ellipse; `from` and `turns` are in quarter turns, 0 is right and 1 is down. Within a
 * quarter, (1 − t², 2t) / (1 + t²) runs over the unit circle.
 */
function arc(
  centreX: number,
  centreY: number,
  radiusX: number,
  radiusY: number,
  from: number,
  turns: number,
): Polyline {
  const pieces = Math.ceil(turns * 4);
  const points: number[] = [];
  for (let piece = 0; piece <= pieces; piece++) {
    const angle = from + (turns * piece) / pieces;
    const quarter = Math.floor(angle);
    const t = angle - quarter;
    let cos = (1 - t * t) / (1 + t * t);
    let sin = (2 * t) / (1 + t * t);
    for (let turn = 0; turn < quarter; turn++) [cos, sin] = [-sin, cos];
    points.push(centreX + radiusX * cos, centreY + radiusY * sin);
  }
  return points;
}

export const glyphAlphabet: readonly Glyph[] = [
  { name: 'crescent', strokes: [arc(0.1, 0, 0.75, 0.9, 0.6, 2.8)] },
  {
    name: 'eye',
    strokes: [arc(0.1, 0, 0.75, 0.9, 0.6, 2.8), line(-0.25, 0, 0.6, 0)],
  },
  {
    name: 'fork',
    strokes: [line(-0.8, -0.9, 0, 0.2, 0.8, -0.9), line(0, 0.2, 0, 0.95)],
  },
  {
    name: 'trident',
    strokes: [line(-0.8, -0.9, 0, 0.2, 0.8, -0.9), line(0, -1, 0, 0.95)],
  },
  {
    name: 'zigzag',
    strokes: [line(-0.65, -0.85, 0.65, -0.85, -0.65, 0.85, 0.65, 0.85)],
  },
  {
    name: 'lightning',
    strokes: [line(-0.65, -0.85, 0.65, -0.85, -0.65, 0.85, 0.65, 0.85), line(-0.5, 0, 0.5, 0)],
  },
  {
    name: 'flag',
    strokes: [line(-0.5, -0.95, -0.5, 0.95), arc(-0.45, -0.45, 0.95, 0.5, 3, 2)],
  },
  {
    name: 'shoe',
    strokes: [line(-0.5, -0.95, -0.5, 0.95), arc(-0.45, 0.45, 0.95, 0.5, 3, 2)],
  },
  {
    name: 'gate',
    strokes: [line(-0.65, 0.9, -0.65, -0.8, 0.65, -0.8, 0.65, 0.9)],
  },
  {
    name: 'ladder',
    strokes: [line(-0.65, 0.9, -0.65, -0.9), line(0.65, -0.9, 0.65, 0.9), line(-0.65, 0, 0.65, 0)],
  },
];
