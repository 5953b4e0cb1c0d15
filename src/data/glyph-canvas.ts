/** A grey canvas on which strokes are drawn, anti-aliased by the distance of each pixel's centre. */

export interface Canvas {
  readonly side: number;
  /** [side, side] ink, 0 … 1. */
  readonly ink: Float64Array;
}

export interface Pen {
  /** Half the stroke's width, in pixels. */
  readonly radius: number;
  /** Width of the edge over which the ink fades, in pixels. */
  readonly softness: number;
  /** 0 … 1 at the stroke's core. */
  readonly strength: number;
}

export function createCanvas(side: number): Canvas {
  return { side, ink: new Float64Array(side * side) };
}

/** Draws straight pieces between points x, y, x, y, … in pixels; ink that is there stays if darker. */
export function drawPolyline(canvas: Canvas, points: ArrayLike<number>, pen: Pen): void {
  for (let i = 2; i + 1 < points.length; i += 2) {
    drawSegment(
      canvas,
      points[i - 2] as number,
      points[i - 1] as number,
      points[i] as number,
      points[i + 1] as number,
      pen,
    );
  }
}

function drawSegment(
  { side, ink }: Canvas,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  { radius, softness, strength }: Pen,
): void {
  const reach = radius + softness / 2;
  const left = Math.max(0, Math.ceil(Math.min(x0, x1) - reach));
  const right = Math.min(side - 1, Math.floor(Math.max(x0, x1) + reach));
  const top = Math.max(0, Math.ceil(Math.min(y0, y1) - reach));
  const bottom = Math.min(side - 1, Math.floor(Math.max(y0, y1) + reach));
  const dx = x1 - x0;
  const dy = y1 - y0;
  const lengthSquared = dx * dx + dy * dy;
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const along =
        lengthSquared === 0 ? 0 : clamp(((x - x0) * dx + (y - y0) * dy) / lengthSquared);
      const offX = x - x0 - along * dx;
      const offY = y - y0 - along * dy;
      const squared = offX * offX + offY * offY;
      if (squared >= reach * reach) continue;
      const value = strength * clamp((reach - Math.sqrt(squared)) / softness);
      const index = y * side + x;
      if (value > (ink[index] as number)) ink[index] = value;
    }
  }
}

/** Sets a rectangle of `width` × `height` pixels to one value. */
export function fillRectangle(
  { side, ink }: Canvas,
  left: number,
  top: number,
  width: number,
  height: number,
  value: number,
): void {
  const right = Math.min(side, left + width);
  for (let y = Math.max(0, top); y < Math.min(side, top + height); y++) {
    ink.fill(value, y * side + Math.max(0, left), y * side + right);
  }
}

export function clamp(value: number): number {
  return Math.min(1, Math.max(0, value));
}
