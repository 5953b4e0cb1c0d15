/** Shape rules: attention and what belongs to it. Heads are packed in rank 3, apart in rank 4. */
import { intOf, stringOf } from '../attributes.js';
import type { Dim, Node, Shape } from '../graph.js';
import type { attentionSchemas } from '../schema/attention.js';
import { addDims, divideDims, formatShape, isFixed, multiplyDims, unifyDims } from './dims.js';
import { commonType, fail, hasInput, type ShapeRule, single, typeFrom } from './shape.js';

/** Sizes of queries, keys or values: batch, heads, sequence, head. */
interface Heads {
  readonly batch: Dim;
  readonly count: Dim;
  readonly length: Dim;
  readonly size: Dim;
}

/** The one size that all descriptions give; an error when two contradict. */
function agree(node: Node, what: string, ...dims: readonly Dim[]): Dim {
  return dims.reduce((known, dim) => {
    const unified = unifyDims(known, dim);
    if (unified === undefined) fail(node, `expected one ${what}, received ${known} and ${dim}`);
    return unified;
  });
}

/** The heads of [B,L,H·D] or [B,H,L,D]; undefined where the rank is not known. */
function headsOf(node: Node, shape: Shape | undefined, attribute: string): Heads | undefined {
  if (shape === undefined) return undefined;
  const count = intOf(node, attribute, 0);
  if (shape.length === 4) {
    const [batch, heads, length, size] = shape as [Dim, Dim, Dim, Dim];
    if (count > 0) agree(node, `number of heads (${attribute})`, heads, count);
    return { batch, count: heads, length, size };
  }
  if (shape.length !== 3) {
    fail(node, `expected [B,L,H·D] or [B,H,L,D], received ${formatShape(shape)}`);
  }
  const [batch, length, hidden] = shape as [Dim, Dim, Dim];
  if (count < 1) fail(node, `expected ${attribute} for [B,L,H·D], received none`);
  if (isFixed(hidden) && hidden % count !== 0) {
    fail(node, `expected ${count} equal heads (${attribute}), received ${formatShape(shape)}`);
  }
  return { batch, count, length, size: divideDims(hidden, count) };
}

function requireGroups(node: Node, queries: Dim, keys: Dim): void {
  if (isFixed(queries) && isFixed(keys) && (keys < 1 || queries % keys !== 0)) {
    fail(node, `expected query heads in groups of one key head, received ${queries} and ${keys}`);
  }
}

/** Attention: y, the keys and values with those of the past, and scores [B,H,L,S]. */
const attention: ShapeRule = (context) => {
  const { node, inputs } = context;
  const dtype = commonType(context, [0, 1]);
  const q = headsOf(node, inputs[0]?.shape, 'q_num_heads');
  const k = headsOf(node, inputs[1]?.shape, 'kv_num_heads');
  const v = headsOf(node, inputs[2]?.shape, 'kv_num_heads');
  const mode = intOf(node, 'qk_matmul_output_mode', 0);
  if (mode < 0 || mode > 3) fail(node, `expected qk_matmul_output_mode 0 to 3, received ${mode}`);
  if (hasInput(node, 4) !== hasInput(node, 5)) {
    fail(node, 'expected past_key and past_value together, received one of them');
  }
  if (q === undefined || k === undefined || v === undefined) {
    return { types: [0, 1, 2, 3].map((i) => typeFrom(inputs[i === 2 ? 2 : 0]?.dtype, undefined)) };
  }
  const batch = agree(node, 'batch size', q.batch, k.batch, v.batch);
  const count = agree(node, 'number of key and value heads', k.count, v.count);
  const length = agree(node, 'length of keys and values', k.length, v.length);
  const size = agree(node, 'head size of queries and keys', q.size, k.size);
  requireGroups(node, q.count, count);
  const past = hasInput(node, 4) ? (inputs[4]?.shape?.[2] ?? '?') : 0;
  const total = addDims(past, length);
  const packed = inputs[0]?.shape?.length === 3;
  const y = packed
    ? [batch, q.length, multiplyDims(q.count, v.size)]
    : [batch, q.count, q.length, v.size];
  return {
    types: [
      typeFrom(dtype, y),
      typeFrom(dtype, [batch, count, total, size]),
      typeFrom(inputs[2]?.dtype, [batch, count, total, v.size]),
      typeFrom(dtype, [batch, q.count, q.length, total]),
    ],
  };
};

/** FlexAttention: Q [B,H,L,D], K [B,G,S,D], V [B,G,S,E] give [B,H,L,E]. */
const flexAttention: ShapeRule = (context) => {
  const { node, inputs } = context;
  const dtype = commonType(context, [0, 1, 2]);
  for (const input of inputs) {
    if (input?.shape !== undefined && input.shape.length !== 4) {
      fail(node, `expected [B,H,L,D], received ${formatShape(input.shape)}`);
    }
  }
  const [q, k, v] = inputs.map((input) => headsOf(node, input?.shape, ''));
  if (q === undefined || k === undefined || v === undefined) return single(dtype, undefined);
  agree(node, 'number of key and value heads', k.count, v.count);
  agree(node, 'length of keys and values', k.length, v.length);
  agree(node, 'head size of queries and keys', q.size, k.size);
  requireGroups(node, q.count, k.count);
  const batch = agree(node, 'batch size', q.batch, k.batch, v.batch);
  return single(dtype, [batch, q.count, q.length, v.size]);
};

/** LinearAttention: Q [B,T,H·K], K [B,T,G·K], V [B,T,G·E] give [B,T,H·E] and a state [B,G,K,E]. */
const linearAttention: ShapeRule = ({ node, inputs }) => {
  for (const input of inputs.slice(0, 3)) {
    if (input?.shape !== undefined && input.shape.length !== 3) {
      fail(node, `expected [B,T,H·D], received ${formatShape(input.shape)}`);
    }
  }
  const updateRule = stringOf(node, 'update_rule', 'gated_delta');
  if (!['linear', 'gated', 'delta', 'gated_delta'].includes(updateRule)) {
    fail(node, `update_rule expected linear, gated, delta or gated_delta, received ${updateRule}`);
  }
  for (const [i, name, part] of [
    [4, 'decay', 'gated'],
    [5, 'beta', 'delta'],
  ] as const) {
    const wanted = updateRule.includes(part);
    if (wanted === hasInput(node, i)) continue;
    fail(node, `update_rule ${updateRule} expected ${wanted ? 'a' : 'no'} ${name}`);
  }
  const q = headsOf(node, inputs[0]?.shape, 'q_num_heads');
  const k = headsOf(node, inputs[1]?.shape, 'kv_num_heads');
  const v = headsOf(node, inputs[2]?.shape, 'kv_num_heads');
  const stateType = inputs[3]?.dtype ?? inputs[0]?.dtype;
  if (q === undefined || k === undefined || v === undefined) {
    return { types: [typeFrom(inputs[0]?.dtype, undefined), typeFrom(stateType, undefined)] };
  }
  const batch = agree(node, 'batch size', q.batch, k.batch, v.batch);
  const length = agree(node, 'length', q.length, k.length, v.length);
  const size = agree(node, 'head size of queries and keys', q.size, k.size);
  requireGroups(node, q.count, k.count);
  return {
    types: [
      typeFrom(inputs[0]?.dtype, [batch, length, multiplyDims(q.count, v.size)]),
      typeFrom(stateType, [batch, k.count, size, v.size]),
    ],
  };
};

/** CausalConvWithState: x [B,C,L] and weight [C,1,k] give y like x and a state [B,C,k−1]. */
const causalConvWithState: ShapeRule = (context) => {
  const { node, inputs } = context;
  const [x, weight, bias, past] = inputs.map((input) => input?.shape);
  const activation = stringOf(node, 'activation', 'none');
  if (!['none', 'silu', 'swish'].includes(activation)) {
    fail(node, `activation expected none, silu or swish, received ${activation}`);
  }
  for (const shape of [x, weight, past]) {
    if (shape !== undefined && shape.length !== 3) {
      fail(node, `expected tensors of rank 3, received ${formatShape(shape)}`);
    }
  }
  const dtype = commonType(context, [0, 1, 2, 3]);
  const dims = [x?.[1], weight?.[0], bias?.[0], past?.[1]].filter((dim) => dim !== undefined);
  const channels = dims.length === 0 ? '?' : agree(node, 'number of channels', ...dims);
  const kernel = weight?.[2] ?? '?';
  const kept = past?.[2] ?? (isFixed(kernel) ? kernel - 1 : '?');
  return {
    types: [
      typeFrom(dtype, x && [x[0] as Dim, channels, x[2] as Dim]),
      typeFrom(dtype, [x?.[0] ?? past?.[0] ?? '?', channels, kept]),
    ],
  };
};

/** RotaryEmbedding: y like x, [B,L,H·D] or [B,H,L,D]; D is even, or the part that is rotated. */
const rotaryEmbedding: ShapeRule = (context) => {
  const { node, inputs } = context;
  const [x] = inputs;
  const heads = headsOf(node, x?.shape, 'num_heads');
  const rotated = intOf(node, 'rotary_embedding_dim', 0) || (heads?.size ?? '?');
  if (isFixed(rotated) && rotated % 2 !== 0) {
    fail(node, `expected an even number of rotated elements, received ${rotated}`);
  }
  for (const cache of [inputs[1]?.shape, inputs[2]?.shape]) {
    if (cache === undefined) continue;
    const rank = hasInput(node, 3) ? 2 : 3;
    if (cache.length !== rank) {
      fail(node, `expected sines and cosines of rank ${rank}, received ${formatShape(cache)}`);
    }
    agree(node, 'number of angles', cache.at(-1) as Dim, divideDims(rotated, 2));
  }
  return single(commonType(context, [0, 1, 2]), x?.shape);
};

export const attentionShapes: Readonly<Record<keyof typeof attentionSchemas, ShapeRule>> = {
  Attention: attention,
  CausalConvWithState: causalConvWithState,
  FlexAttention: flexAttention,
  LinearAttention: linearAttention,
  RotaryEmbedding: rotaryEmbedding,
};
