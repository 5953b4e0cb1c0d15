/** Heads of attention: taken apart, multiplied by group, and turned into shares. */
import type { NodeContext } from './node-context.js';

/** Queries times the node's scale, or over the root of the head size: exact in every element type. */
export function scaleQueries(
  c: NodeContext,
  queries: string,
  scale: number | undefined,
  size: number,
): string {
  if (scale !== undefined) return c.scale(queries, scale);
  return c.div(queries, c.op('Sqrt', [c.scalar(size, queries)]));
}

/** [B,L,H·D] as [B,H,L,D]; rank 4 as it is. */
export function splitHeads(c: NodeContext, value: string, heads: number): string {
  const dims = c.dims(value);
  if (dims.length === 4) return value;
  const [batch, length, hidden] = dims as [number, number, number];
  return c.transpose(c.reshape(value, [batch, length, heads, hidden / heads]), [0, 2, 1, 3]);
}

/** [B,H,L,D] as [B,L,H·D]. */
export function joinHeads(c: NodeContext, value: string): string {
  const [batch, heads, length, size] = c.dims(value) as [number, number, number, number];
  return c.reshape(c.transpose(value, [0, 2, 1, 3]), [batch, length, heads * size]);
}

/**
 * Products of queries [B,H,L,D] with keys or values [B,G,…]: H is a multiple of G, and the query heads
 * of a group lie one after the other, so that a group is one tall matrix and nothing is repeated.
 */
export function groupedProduct(c: NodeContext, left: string, right: string): string {
  const [batch, heads, length, inner] = c.dims(left) as [number, number, number, number];
  const groups = c.dims(right)[1] as number;
  const tall = c.reshape(left, [batch, groups, (heads / groups) * length, inner]);
  const columns = c.dims(right)[3] as number;
  return c.reshape(c.op('MatMul', [tall, right]), [batch, heads, length, columns]);
}

/** Numbers of float types in ONNX files. */
const codes: Partial<Record<string, number>> = {
  float32: 1,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

/** The value in the float type of that number in ONNX files. */
export function castTo(c: NodeContext, value: string, code: number | undefined): string {
  if (code === undefined || codeOf(c, value) === code) return value;
  return c.op('Cast', [value], { to: code });
}

/** The number of a value's element type in ONNX files. */
export function codeOf(c: NodeContext, value: string): number | undefined {
  return codes[c.builder.typeOf(value).dtype];
}

/** Softmax over the last axis, computed in the type of that number where it has more digits. */
export function preciseSoftmax(c: NodeContext, scores: string, precision: number): string {
  const own = codeOf(c, scores);
  const finer =
    precision === codes.float64 || (precision === codes.float32 && own !== codes.float64);
  const soft = c.op('Softmax', [castTo(c, scores, finer ? precision : own)], { axis: -1 });
  return castTo(c, soft, own);
}
