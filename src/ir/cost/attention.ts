/** Costs: attention and what belongs to it. */
import { intOf, stringOf } from '../attributes.js';
import type { attentionSchemas } from '../schema/attention.js';
import { type CostContext, type CostRule, type Dims, moving, sizeOf } from './rule.js';

/** Number of elements of one head of [B,L,H·D] or [B,H,L,D] over all positions. */
function headSize({ node }: CostContext, dims: Dims, attribute: string): number {
  const last = dims?.at(-1) ?? 0;
  return dims?.length === 3 ? last / intOf(node, attribute, 1) : last;
}

/** Scores take the head size of the keys per query and key, results that of the values. */
const attention: CostRule = {
  ...moving,
  macs: (context) => {
    const [q, k, v, , past] = context.inputs;
    const size = headSize(context, q, 'q_num_heads');
    const total = (k?.at(k.length - 2) ?? 0) + (past?.[2] ?? 0);
    const queries = size === 0 ? 0 : sizeOf(q) / size;
    return queries * total * (size + headSize(context, v, 'kv_num_heads'));
  },
};

/** Per position and key head the state [K,E] is written, by each query head read; delta reads it, too. */
const linearAttention: CostRule = {
  ...moving,
  macs: ({ node, inputs: [q, k, v] }) => {
    const heads = intOf(node, 'kv_num_heads', 1);
    const delta = stringOf(node, 'update_rule', 'gated_delta').includes('delta') ? heads : 0;
    const state = ((k?.[2] ?? 0) / heads) * ((v?.[2] ?? 0) / heads);
    const positions = sizeOf(q?.slice(0, 2));
    return positions * state * (heads + intOf(node, 'q_num_heads', 1) + delta);
  },
};

/** Each output element sums over the kernel. */
const causalConvWithState: CostRule = {
  ...moving,
  macs: ({ inputs: [x, weight] }) => sizeOf(x) * (weight?.[2] ?? 0),
};

export const attentionCosts: Readonly<Record<keyof typeof attentionSchemas, CostRule>> = {
  Attention: attention,
  CausalConvWithState: causalConvWithState,
  FlexAttention: attention,
  LinearAttention: linearAttention,
  RotaryEmbedding: moving,
};
