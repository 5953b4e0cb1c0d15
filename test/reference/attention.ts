/** Attention and what belongs to it. */
import { floatOf, intOf, stringOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { interpret } from './interpreter.js';
import { type Kernel, type Kernels, need } from './kernel.js';
import { linearAttention } from './linear-attention.js';
import { at, generate, get, getBroadcast, type Tensor } from './tensor.js';

/** [B,L,H·D] as [B,H,L,D]. */
export function splitHeads(x: Tensor, heads: number): Tensor {
  if (x.dims.length === 4) return x;
  const [batch = 0, length = 0, hidden = 0] = x.dims;
  const size = hidden / heads;
  return generate([batch, heads, length, size], ([b = 0, h = 0, l = 0, d = 0]) =>
    get(x, [b, l, h * size + d]),
  );
}

/** [B,H,L,D] as [B,L,H·D]. */
export function joinHeads(x: Tensor): Tensor {
  const [batch = 0, heads = 0, length = 0, size = 0] = x.dims;
  return generate([batch, length, heads * size], ([b = 0, l = 0, i = 0]) =>
    get(x, [b, Math.floor(i / size), l, i % size]),
  );
}

function append(past: Tensor | undefined, x: Tensor): Tensor {
  if (past === undefined) return x;
  const before = at(past.dims, 2);
  const dims = x.dims.map((d, i) => (i === 2 ? d + before : d));
  return generate(dims, (index) => {
    const [b = 0, h = 0, l = 0, d = 0] = index;
    return l < before ? get(past, index) : get(x, [b, h, l - before, d]);
  });
}

/** Scores of queries against the key head of their group. */
function scoresOf(q: Tensor, k: Tensor, scale: number): Tensor {
  const group = at(q.dims, 1) / at(k.dims, 1);
  const dims = [...q.dims.slice(0, 3), at(k.dims, 2)];
  return generate(dims, ([b = 0, h = 0, i = 0, j = 0]) => {
    let sum = 0;
    for (let d = 0; d < at(q.dims, 3); d++) {
      sum += get(q, [b, h, i, d]) * get(k, [b, Math.floor(h / group), j, d]);
    }
    return sum * scale;
  });
}

/** Softmax over the last axis; a row of −∞ gives zeros. */
function softmax(x: Tensor): Tensor {
  const keys = x.dims.at(-1) as number;
  const data = x.data.map((v, n) => {
    const row = x.data.subarray(n - (n % keys), n - (n % keys) + keys);
    const high = Math.max(...row);
    if (high === Number.NEGATIVE_INFINITY) return 0;
    return Math.exp(v - high) / row.reduce((sum, w) => sum + Math.exp(w - high), 0);
  });
  return { dims: x.dims, data };
}

function weigh(shares: Tensor, v: Tensor): Tensor {
  const group = at(shares.dims, 1) / at(v.dims, 1);
  return generate([...shares.dims.slice(0, 3), at(v.dims, 3)], ([b = 0, h = 0, i = 0, d = 0]) => {
    let sum = 0;
    for (let j = 0; j < at(v.dims, 2); j++) {
      sum += get(shares, [b, h, i, j]) * get(v, [b, Math.floor(h / group), j, d]);
    }
    return sum;
  });
}

const attend: Kernel = (node, inputs) => {
  const [, , , mask, pastKey, pastValue, valid] = inputs;
  const q = splitHeads(need(inputs, 0), intOf(node, 'q_num_heads', 0));
  const keyHeads = intOf(node, 'kv_num_heads', 0);
  const k = append(pastKey, splitHeads(need(inputs, 1), keyHeads));
  const v = append(pastValue, splitHeads(need(inputs, 2), keyHeads));
  const raw = scoresOf(q, k, floatOf(node, 'scale', 1 / Math.sqrt(at(q.dims, 3))));
  const cap = floatOf(node, 'softcap', 0);
  const capped =
    cap > 0 ? { dims: raw.dims, data: raw.data.map((s) => cap * Math.tanh(s / cap)) } : raw;
  const masked = generate(capped.dims, (index) => {
    const [b = 0, , i = 0, j = 0] = index;
    const past = pastKey === undefined ? 0 : at(pastKey.dims, 2);
    const length = valid === undefined ? Number.POSITIVE_INFINITY : at(valid.data, b);
    const outer = valid !== undefined && pastKey === undefined;
    const offset = outer ? length - at(q.dims, 2) : past;
    if (intOf(node, 'is_causal', 0) === 1 && j > i + offset) return Number.NEGATIVE_INFINITY;
    if (j >= length) return Number.NEGATIVE_INFINITY;
    return get(capped, index) + biasAt(mask, index);
  });
  const shares = softmax(masked);
  const y = weigh(shares, v);
  const scores = [raw, capped, masked, shares][intOf(node, 'qk_matmul_output_mode', 0)] as Tensor;
  return [need(inputs, 0).dims.length === 3 ? joinHeads(y) : y, k, v, scores];
};

/** What the mask adds to a score; beyond its end nothing takes part. */
function biasAt(mask: Tensor | undefined, index: readonly number[]): number {
  if (mask === undefined) return 0;
  if ((index[3] as number) >= (mask.dims.at(-1) as number)) return Number.NEGATIVE_INFINITY;
  const value = getBroadcast(mask, index);
  if (mask.dtype !== 'bool') return value;
  return value === 0 ? Number.NEGATIVE_INFINITY : 0;
}

/** The value through the graph in an attribute, where there is one. */
function applied(node: Node, attribute: string, value: Tensor): Tensor {
  const body = node.attributes[attribute];
  if (body?.kind !== 'graph') return value;
  const results = interpret(body.value, { [body.value.inputs[0]?.name ?? '']: value });
  return results.get(body.value.outputs[0]?.name ?? '') as Tensor;
}

export const attention: Kernels = {
  Attention: attend,
  CausalConvWithState: (node, inputs) => {
    const [x, weight, bias, past] = [need(inputs, 0), need(inputs, 1), inputs[2], inputs[3]];
    const [batch = 0, channels = 0, length = 0] = x.dims;
    const kept = at(weight.dims, 2) - 1;
    const before = (b: number, c: number, t: number) =>
      t >= kept ? get(x, [b, c, t - kept]) : past === undefined ? 0 : get(past, [b, c, t]);
    const y = generate(x.dims, ([b = 0, c = 0, t = 0]) => {
      let sum = bias === undefined ? 0 : at(bias.data, c);
      for (let i = 0; i <= kept; i++) sum += get(weight, [c, 0, i]) * before(b, c, t + i);
      return stringOf(node, 'activation', 'none') === 'none' ? sum : sum / (1 + Math.exp(-sum));
    });
    const state = generate([batch, channels, kept], ([b = 0, c = 0, t = 0]) =>
      before(b, c, length + t),
    );
    return [y, state];
  },
  FlexAttention: (node, inputs) => {
    const [q, k, v] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const scores = scoresOf(q, k, floatOf(node, 'scale', 1 / Math.sqrt(at(q.dims, 3))));
    const shares = softmax(applied(node, 'score_mod', scores));
    return [weigh(applied(node, 'prob_mod', shares), v)];
  },
  LinearAttention: linearAttention,
  RotaryEmbedding: (node, inputs) => {
    const [given, cos, sin, positions] = [
      need(inputs, 0),
      need(inputs, 1),
      need(inputs, 2),
      inputs[3],
    ];
    const x = splitHeads(given, intOf(node, 'num_heads', 0));
    const rotated = intOf(node, 'rotary_embedding_dim', 0) || at(x.dims, 3);
    const interleaved = intOf(node, 'interleaved', 0) === 1;
    const half = rotated / 2;
    const y = generate(x.dims, ([b = 0, h = 0, l = 0, d = 0]) => {
      const here = get(x, [b, h, l, d]);
      if (d >= rotated) return here;
      const second = interleaved ? d % 2 === 1 : d >= half;
      const pair = interleaved ? Math.floor(d / 2) : d % half;
      const partner = interleaved ? d + (second ? -1 : 1) : d + (second ? -half : half);
      const row = positions === undefined ? [b, l] : [get(positions, [b, l])];
      const other = get(x, [b, h, l, partner]) * get(sin, [...row, pair]);
      return here * get(cos, [...row, pair]) + (second ? other : -other);
    });
    return [given.dims.length === 3 ? joinHeads(y) : y];
  },
};
