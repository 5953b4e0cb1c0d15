/** Attention and what belongs to it. */
import type { AttributeValue } from '../../../src/ir/attributes.js';
import { GraphBuilder } from '../../../src/ir/builder.js';
import type { Graph } from '../../../src/ir/graph.js';
import { fixed, type GradientCase, type GradientCases, x } from './case.js';

type Inputs = GradientCase['inputs'];

const attention = (
  about: string,
  inputs: Inputs,
  attributes: Record<string, AttributeValue> = {},
  more: Partial<GradientCase> = {},
): GradientCase => ({ about, opset: 24, inputs, attributes, ...more });

const mask = (dims: readonly number[], ...values: number[]) =>
  ({ dims, values, dtype: 'bool' }) as const;
const lengths = (...values: number[]) => ({ dims: [values.length], values });

const heads = [x(2, 2, 3, 4), x(2, 2, 5, 4), x(2, 2, 5, 3)];
const packed = [x(2, 3, 8), x(2, 5, 4), x(2, 5, 6)];
const grouped = { q_num_heads: 4, kv_num_heads: 2 };
const past = [x(2, 2, 2, 4), x(2, 2, 2, 3)];

const attentions: readonly GradientCase[] = [
  attention('apart', heads),
  attention('packed, groups', packed, grouped),
  attention('one key head', [x(1, 3, 2, 2), x(1, 1, 4, 2), x(1, 1, 4, 2)], { scale: 0.5 }),
  attention('causal, capped', heads, { is_causal: 1, softcap: 1.5, scale: 0.75 }),
  attention('float mask', [...heads, x(2, 1, 3, 5)]),
  attention('mask of truths, one row empty', [
    ...heads,
    mask([3, 5], 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1),
  ]),
  attention(
    'short mask, past and present',
    [...heads, x(3, 6), ...past],
    { is_causal: 1 },
    {
      outputs: 3,
      seeded: [0, 1, 2],
    },
  ),
  attention('padded cache', [...heads, undefined, undefined, undefined, lengths(5, 3)]),
  attention(
    'padded cache, causal, one row empty',
    [
      ...heads,
      mask([2, 1, 3, 4], ...Array.from({ length: 24 }, (_, i) => (i % 5 ? 1 : 0))),
      undefined,
      undefined,
      lengths(4, 2),
    ],
    { is_causal: 1 },
  ),
  attention('scores', packed, grouped, { outputs: 4, seeded: [0, 3] }),
  attention(
    'capped scores',
    packed,
    { ...grouped, softcap: 2, qk_matmul_output_mode: 1 },
    {
      outputs: 4,
      seeded: [0, 3],
    },
  ),
  attention(
    'masked scores',
    [...heads, x(3, 5)],
    { softcap: 2, qk_matmul_output_mode: 2, softmax_precision: 11 },
    { outputs: 4, seeded: [0, 3] },
  ),
  attention(
    'shares',
    heads,
    { is_causal: 1, qk_matmul_output_mode: 3 },
    {
      outputs: 4,
      seeded: [0, 3],
    },
  ),
];

/** A body that computes `append(b, value)` of [1,2,3,4]. */
function body(append: (b: GraphBuilder, value: string) => string): Graph {
  const b = new GraphBuilder('body');
  b.output(append(b, b.input('in', 'float32', [1, 2, 3, 4])));
  return b.build();
}

const linear = (
  about: string,
  updateRule: string,
  decay: number | undefined,
  beta: number | undefined,
  attributes: Record<string, AttributeValue> = {},
  state?: GradientCase['inputs'][number],
): GradientCase => ({
  about,
  opset: 27,
  inputs: [
    x(2, 3, 8),
    x(2, 3, 4),
    x(2, 3, 6),
    state,
    decay === undefined ? undefined : { dims: [2, 3, decay], range: [-1, 0] },
    ...(beta === undefined ? [] : [{ dims: [2, 3, beta], range: [0.1, 0.9] as const }]),
  ],
  attributes: { ...grouped, update_rule: updateRule, ...attributes },
  outputs: 2,
  seeded: [0, 1],
});

const rotary = (
  about: string,
  inputs: Inputs,
  attributes: Record<string, AttributeValue> = {},
): GradientCase => ({ about, opset: 23, inputs, attributes });
const positions = { dims: [2, 3], values: [0, 2, 4, 1, 1, 3] };

export const attentionCases: GradientCases = {
  Attention: attentions,
  CausalConvWithState: [
    { about: 'plain', opset: 27, inputs: [x(2, 3, 5), x(3, 1, 4)], outputs: 2, seeded: [0, 1] },
    {
      about: 'state, bias, silu',
      opset: 27,
      inputs: [x(2, 3, 2), x(3, 1, 4), x(3), x(2, 3, 3)],
      attributes: { activation: 'silu' },
      outputs: 2,
      seeded: [0, 1],
    },
    { about: 'one tap', opset: 27, inputs: [x(1, 2, 3), x(2, 1, 1)] },
  ],
  FlexAttention: [
    { about: 'plain', inputs: [x(1, 2, 3, 2), x(1, 1, 4, 2), x(1, 1, 4, 3)] },
    {
      about: 'both graphs',
      inputs: [x(1, 2, 3, 2), x(1, 2, 4, 2), x(1, 2, 4, 3)],
      attributes: {
        scale: 0.5,
        score_mod: body((b, value) => b.op('Tanh', [b.op('Mul', [value, b.scalar(0.5)])])),
        prob_mod: body((b, value) => b.op('Mul', [value, value])),
      },
    },
  ],
  LinearAttention: [
    linear('linear', 'linear', undefined, undefined, { scale: 0.5 }),
    linear('gated per head', 'gated', 2, undefined),
    linear('delta, past', 'delta', undefined, 2, {}, x(2, 2, 2, 3)),
    linear('gated delta, one rate', 'gated_delta', 4, 1, {}, x(2, 2, 2, 3)),
  ],
  RotaryEmbedding: [
    rotary('positions', [x(2, 2, 3, 4), x(5, 2), x(5, 2), positions]),
    rotary('packed, interleaved', [x(2, 3, 8), x(5, 2), x(5, 2), positions], {
      num_heads: 2,
      interleaved: 1,
    }),
    rotary('a part, no positions', [x(2, 2, 3, 6), x(2, 3, 2), x(2, 3, 2)], {
      rotary_embedding_dim: 4,
    }),
    rotary('a part, interleaved', [x(2, 2, 3, 6), fixed(2, 3, 2), x(2, 3, 2)], {
      rotary_embedding_dim: 4,
      interleaved: 1,
    }),
  ],
};
