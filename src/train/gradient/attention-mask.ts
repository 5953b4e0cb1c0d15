/**
 * Which keys a query attends to (Attention-24): those of `attn_mask` (true, or above −∞), up to its own
 * position (`is_causal`), and not padding (`nonpad_kv_seqlen`). Query i stands at position i + offset:
 * the length of the past, or what is valid of an outer cache less the queries.
 */
import { intOf } from '../../ir/attributes.js';
import type { NodeContext } from './node-context.js';
import { range } from './node-context.js';

export interface AttentionMask {
  /** Scores for softmax: below all others where masked. */
  readonly masked: string;
  /** Where a key is attended to, if a row may have none. */
  readonly allowed?: string;
  /** Scores with the mask added: −∞ where masked. */
  readonly added: string;
}

/** Appends the mask of an Attention node to its scores [B,H,L,S]. */
export function appendAttentionMask(c: NodeContext, scores: string): AttentionMask {
  const conditions: string[] = [];
  let biased = scores;
  if (c.hasInput(3)) {
    const mask = padded(c, c.x(3), c.dims(scores)[3] as number);
    if (c.builder.typeOf(mask).dtype === 'bool') conditions.push(mask);
    else {
      biased = c.add(scores, mask);
      if (!isFiniteMask(c, c.x(3), mask)) {
        conditions.push(c.greater(mask, c.scalar(Number.NEGATIVE_INFINITY, mask)));
      }
    }
  }
  if (c.hasInput(6)) conditions.push(unpadded(c, scores));
  const mayBeEmpty = conditions.length > 0 || (isCausal(c) && c.hasInput(6));
  if (isCausal(c)) conditions.push(causal(c, scores));
  if (conditions.length === 0) return { masked: biased, added: biased };
  const allowed = conditions.reduce((all, condition) => c.op('And', [all, condition]));
  const half = c.builder.typeOf(scores).dtype === 'float16';
  const masked = c.where(allowed, biased, c.scalar(half ? -65504 : -1e30, scores));
  const wantsAdded = c.output(3) !== undefined && intOf(c.node, 'qk_matmul_output_mode', 0) === 2;
  const added = wantsAdded
    ? c.where(allowed, biased, c.scalar(Number.NEGATIVE_INFINITY, scores))
    : masked;
  return mayBeEmpty ? { masked, allowed, added } : { masked, added };
}

function isCausal(c: NodeContext): boolean {
  return intOf(c.node, 'is_causal', 0) === 1;
}

/** Whether the mask is known to hold no −∞. */
function isFiniteMask(c: NodeContext, given: string, mask: string): boolean {
  const known = c.builder.constantOf(given);
  return given === mask && known instanceof Float32Array && known.every(Number.isFinite);
}

/** The mask, which may cover only the first keys, for all of them. */
function padded(c: NodeContext, mask: string, keys: number): string {
  const dims = c.dims(mask);
  const given = dims.at(-1) ?? 1;
  if (given === keys) return mask;
  const { dtype } = c.builder.typeOf(mask);
  const fill = c.builder.scalar(dtype === 'bool' ? 0 : Number.NEGATIVE_INFINITY, dtype);
  const rest = c.expand(fill, [...dims.slice(0, -1), keys - given]);
  return c.op('Concat', [mask, rest], { axis: -1 });
}

/** Key j is no padding: j < valid. */
function unpadded(c: NodeContext, scores: string): string {
  const [batch, , , keys] = c.dims(scores) as [number, number, number, number];
  const position = c.builder.tensor([keys], range(keys), 'int64');
  return c.op('Less', [position, c.reshape(c.x(6), [batch, 1, 1, 1])]);
}

/** Query i attends to key j: j − i ≤ offset. */
function causal(c: NodeContext, scores: string): string {
  const [batch, , queries, keys] = c.dims(scores) as [number, number, number, number];
  const distances = range(queries).flatMap((i) => range(keys).map((j) => j - i));
  if (c.hasInput(6) && !c.hasInput(4)) {
    const distance = c.builder.tensor([queries, keys], distances, 'int64');
    const valid = c.reshape(c.x(6), [batch, 1, 1, 1]);
    const offset = c.sub(valid, c.builder.scalar(queries, 'int64'));
    return c.op('LessOrEqual', [distance, offset]);
  }
  const offset = c.hasInput(4) ? (c.dims(c.x(4))[2] as number) : 0;
  const allowed = distances.map((distance) => (distance <= offset ? 1 : 0));
  return c.builder.tensor([queries, keys], allowed, 'bool');
}
