/** Attention, written as the products, mask and softmax that it stands for. */
import { floatOf, intOf, stringOf } from '../../ir/attributes.js';
import type { attentionSchemas } from '../../ir/schema/attention.js';
import { appendAttentionMask } from './attention-mask.js';
import { flexAttention } from './flex-attention.js';
import { groupedProduct, joinHeads, preciseSoftmax, scaleQueries, splitHeads } from './heads.js';
import { linearAttention } from './linear-attention.js';
import { rotaryEmbedding } from './rotary.js';
import type { Expansion, GradientRow, NodeContext } from './rule.js';

/** Keys or values behind those of the past. */
function withPast(c: NodeContext, value: string, past: number): string {
  return c.hasInput(past) ? c.op('Concat', [c.x(past), value], { axis: 2 }) : value;
}

/**
 * softmax(mask(cap(s·QKᵀ)))·V. What is masked takes no part: its score is replaced, not added to, so
 * that its gradient is 0 even in a row without anything unmasked, which gives 0.
 */
const attention: Expansion = {
  expand: (c) => {
    const q = splitHeads(c, c.x(0), intOf(c.node, 'q_num_heads', 0));
    const keyHeads = intOf(c.node, 'kv_num_heads', 0);
    const k = withPast(c, splitHeads(c, c.x(1), keyHeads), 4);
    const v = withPast(c, splitHeads(c, c.x(2), keyHeads), 5);
    const [, , , size] = c.dims(q) as [number, number, number, number];
    const { scale } = c.node.attributes;
    const scaled = scaleQueries(c, q, scale && floatOf(c.node, 'scale', 1), size);
    const raw = groupedProduct(c, scaled, c.transpose(k, [0, 1, 3, 2]));
    const cap = floatOf(c.node, 'softcap', 0);
    const capped = cap > 0 ? c.scale(c.op('Tanh', [c.div(raw, c.scalar(cap, raw))]), cap) : raw;
    const { masked, allowed, added } = appendAttentionMask(c, capped);
    const soft = preciseSoftmax(c, masked, intOf(c.node, 'softmax_precision', 0));
    const shares = allowed === undefined ? soft : c.where(allowed, soft, c.scalar(0, soft));
    const y = groupedProduct(c, shares, v);
    const outputs = [raw, capped, added, shares];
    return [
      c.dims(c.x(0)).length === 3 ? joinHeads(c, y) : y,
      k,
      v,
      outputs[intOf(c.node, 'qk_matmul_output_mode', 0)],
    ];
  },
};

/** A depthwise convolution over the state (or zeros) and x, then x·σ(x) where asked for. */
const causalConvWithState: Expansion = {
  expand: (c) => {
    const [batch, channels, length] = c.dims(c.x()) as [number, number, number];
    const kept = (c.dims(c.x(1))[2] as number) - 1;
    const past = c.hasInput(3) ? c.x(3) : c.zeros([batch, channels, kept], c.x());
    const padded = kept === 0 ? c.x() : c.op('Concat', [past, c.x()], { axis: 2 });
    const inputs = [padded, c.x(1), ...(c.hasInput(2) ? [c.x(2)] : [])];
    const y = c.op('Conv', inputs, { group: channels, kernel_shape: [kept + 1] });
    const plain = stringOf(c.node, 'activation', 'none') === 'none';
    return [
      plain ? y : c.mul(y, c.op('Sigmoid', [y])),
      c.slice(padded, [2], [length], [length + kept]),
    ];
  },
};

export const attentionGradients: Readonly<Record<keyof typeof attentionSchemas, GradientRow>> = {
  Attention: attention,
  CausalConvWithState: causalConvWithState,
  FlexAttention: flexAttention,
  LinearAttention: linearAttention,
  RotaryEmbedding: rotaryEmbedding,
};
