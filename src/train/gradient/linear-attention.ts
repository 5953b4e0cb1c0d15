/**
 * LinearAttention: a state S [K,E] per key head that each position decays, corrects, writes to and
 * reads. Written out position by position, which is exact and stable for every rule; graph and
 * training time grow with the length.
 */
import { floatOf, intOf, stringOf } from '../../ir/attributes.js';
import { joinHeads, scaleQueries, splitHeads } from './heads.js';
import type { Expansion, NodeContext } from './rule.js';

/** S ← e^g·S; v ← β·(v − kᵀS) for delta rules; S ← S + k·vᵀ; o = s·qᵀS. */
export const linearAttention: Expansion = {
  expand: (c) => {
    const heads = intOf(c.node, 'kv_num_heads', 1);
    const queryHeads = intOf(c.node, 'q_num_heads', 1);
    const updateRule = stringOf(c.node, 'update_rule', 'gated_delta');
    const k = splitHeads(c, c.x(1), heads);
    const v = splitHeads(c, c.x(2), heads);
    const [batch, , length, size] = c.dims(k) as [number, number, number, number];
    const columns = c.dims(v)[3] as number;
    // 0 stands for the default, too.
    const scaled = scaleQueries(c, c.x(0), floatOf(c.node, 'scale', 0) || undefined, size);
    const group = queryHeads / heads;
    const q = c.reshape(scaled, [batch, length, heads, group, size]);
    const queries = perPosition(c, c.transpose(q, [1, 0, 2, 3, 4]), [batch, heads, group, size]);
    const rows = perPosition(c, c.transpose(k, [2, 0, 1, 3]), [batch, heads, 1, size]);
    const writes = perPosition(c, c.transpose(v, [2, 0, 1, 3]), [batch, heads, 1, columns]);
    const decays = updateRule.startsWith('gated') ? decaysOf(c, heads, length) : undefined;
    const rates = updateRule.endsWith('delta') ? ratesOf(c, length) : undefined;
    let state = c.hasInput(3) ? c.x(3) : undefined;
    const read = rows.map((row, t) => {
      if (state !== undefined && decays !== undefined) state = c.mul(state, decays[t] as string);
      const value = corrected(c, row, writes[t] as string, state, rates?.[t]);
      const written = c.op('MatMul', [c.reshape(row, [batch, heads, size, 1]), value]);
      state = state === undefined ? written : c.add(state, written);
      return c.op('MatMul', [queries[t] as string, state]);
    });
    const apart = read.map((o) => c.reshape(o, [batch, queryHeads, 1, columns]));
    return [joinHeads(c, c.op('Concat', apart, { axis: 2 })), state];
  },
};

/** The value that is written: for delta rules what the state does not hold yet, by the rate. */
function corrected(
  c: NodeContext,
  row: string,
  value: string,
  state: string | undefined,
  rate: string | undefined,
): string {
  if (rate === undefined) return value;
  const missing = state === undefined ? value : c.sub(value, c.op('MatMul', [row, state]));
  return c.mul(rate, missing);
}

/** The parts of a value along its first axis, the positions. */
function perPosition(c: NodeContext, value: string, dims: readonly number[]): string[] {
  const length = c.dims(value)[0] as number;
  if (length === 1) return [c.reshape(value, dims)];
  const sizes = c.builder.ints(new Array<number>(length).fill(1));
  return c.ops('Split', [value, sizes], { axis: 0 }, length).map((part) => c.reshape(part, dims));
}

/** e^g for each position, [B,G,1,1] or [B,G,K,1]. */
function decaysOf(c: NodeContext, heads: number, length: number): string[] {
  const [batch, , last] = c.dims(c.x(4)) as [number, number, number];
  const factors = c.transpose(c.op('Exp', [c.x(4)]), [1, 0, 2]);
  return perPosition(c, c.reshape(factors, [length, batch, last]), [batch, heads, last / heads, 1]);
}

/** β for each position, [B,G,1,1] or [B,1,1,1]. */
function ratesOf(c: NodeContext, length: number): string[] {
  const [batch, , last] = c.dims(c.x(5)) as [number, number, number];
  const rates = c.transpose(c.x(5), [1, 0, 2]);
  return perPosition(c, c.reshape(rates, [length, batch, last]), [batch, last, 1, 1]);
}
