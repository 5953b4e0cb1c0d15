/** Operators: attention and what belongs to it. */
import type { OpSchema } from './schema.js';

export const attentionSchemas = {
  Attention: {
    inputs: [3, 7],
    outputs: [1, 4],
    attributes: {
      is_causal: 'int',
      kv_num_heads: 'int',
      q_num_heads: 'int',
      qk_matmul_output_mode: 'int',
      scale: 'float',
      softcap: 'float',
      softmax_precision: 'int',
    },
  },
  CausalConvWithState: {
    inputs: [2, 4],
    outputs: [1, 2],
    attributes: { activation: 'string' },
  },
  FlexAttention: {
    domain: 'ai.onnx.preview',
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: {
      prob_mod: 'graph',
      scale: 'float',
      score_mod: 'graph',
      softmax_precision: 'int',
    },
  },
  LinearAttention: {
    inputs: [3, 6],
    outputs: [1, 2],
    attributes: {
      chunk_size: 'int',
      kv_num_heads: 'int',
      q_num_heads: 'int',
      scale: 'float',
      update_rule: 'string',
    },
  },
  RotaryEmbedding: {
    inputs: [3, 4],
    outputs: [1, 1],
    attributes: { interleaved: 'int', num_heads: 'int', rotary_embedding_dim: 'int' },
  },
} as const satisfies Record<string, OpSchema>;
