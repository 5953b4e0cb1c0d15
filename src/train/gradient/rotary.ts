/** RotaryEmbedding: pairs (x₁, x₂) of a head turned by an angle per position and pair. */
import { intOf } from '../../ir/attributes.js';
import type { GradientContext, GradientRule } from './rule.js';
import { addAt } from './selection.js';

/**
 * y₁ = cos·x₁ − sin·x₂, y₂ = sin·x₁ + cos·x₂: dx turns dy back by the same angle;
 * d cos = Σ dy₁·x₁ + dy₂·x₂ and d sin = Σ dy₂·x₁ − dy₁·x₂ over the heads, at the positions they had.
 */
export const rotaryEmbedding: GradientRule = (c) => {
  const attributes = Object.fromEntries(
    ['interleaved', 'num_heads', 'rotary_embedding_dim'].map((name) => [
      name,
      intOf(c.node, name, 0),
    ]),
  );
  const turnedBack = () => {
    const inputs = [c.dy, c.x(1), c.neg(c.x(2)), ...(c.hasInput(3) ? [c.x(3)] : [])];
    return c.op('RotaryEmbedding', inputs, attributes);
  };
  const gradients = [c.wants[0] ? turnedBack() : undefined];
  if (!c.wants[1] && !c.wants[2]) return gradients;
  const [x1, x2] = pairs(c, c.x());
  const [dy1, dy2] = pairs(c, c.dy);
  return [
    ...gradients,
    c.wants[1] ? atPositions(c, c.add(c.mul(dy1, x1), c.mul(dy2, x2))) : undefined,
    c.wants[2] ? atPositions(c, c.sub(c.mul(dy2, x1), c.mul(dy1, x2))) : undefined,
  ];
};

/** Both members of the rotated pairs, [B,L,H,R/2] or [B,H,L,R/2]. */
function pairs(c: GradientContext, value: string): readonly [string, string] {
  const dims = c.dims(value);
  const heads = intOf(c.node, 'num_heads', 0);
  const apart =
    dims.length === 4
      ? value
      : c.reshape(value, [...dims.slice(0, 2), heads, (dims[2] as number) / heads]);
  const rotated = intOf(c.node, 'rotary_embedding_dim', 0) || (c.dims(apart)[3] as number);
  if (intOf(c.node, 'interleaved', 0) === 1) {
    return [c.slice(apart, [3], [0], [rotated], [2]), c.slice(apart, [3], [1], [rotated], [2])];
  }
  return [c.slice(apart, [3], [0], [rotated / 2]), c.slice(apart, [3], [rotated / 2], [rotated])];
}

/** Summed over the heads, in the place of the table of angles that the position stands for. */
function atPositions(c: GradientContext, product: string): string {
  const heads = c.dims(c.x()).length === 4 ? 1 : 2;
  const sum = c.reduceSum(product, [heads]);
  if (!c.hasInput(3)) return sum;
  const [batch, length, angles] = c.dims(sum) as [number, number, number];
  const rows = [batch * length, angles];
  const positions = c.expand(c.reshape(c.x(3), [batch * length, 1]), rows);
  return addAt(c, c.dims(c.x(1)), positions, c.reshape(sum, rows), 0);
}
