/** Operators: losses and updates that are operators. */
import type { OpSchema } from './schema.js';

const many = Number.POSITIVE_INFINITY;
/** Operators of training in ONNX's preview. */
const TRAINING_DOMAIN = 'ai.onnx.preview.training';

const loss = { ignore_index: 'int', reduction: 'string' } as const;

export const criterionSchemas = {
  Adagrad: {
    domain: TRAINING_DOMAIN,
    inputs: [3, many],
    outputs: [1, many],
    attributes: { decay_factor: 'float', epsilon: 'float', norm_coefficient: 'float' },
  },
  Adam: {
    domain: TRAINING_DOMAIN,
    inputs: [3, many],
    outputs: [1, many],
    attributes: {
      alpha: 'float',
      beta: 'float',
      epsilon: 'float',
      norm_coefficient: 'float',
      norm_coefficient_post: 'float',
    },
  },
  Gradient: {
    domain: TRAINING_DOMAIN,
    inputs: [1, many],
    outputs: [1, many],
    attributes: { xs: 'strings', y: 'string', zs: 'strings' },
  },
  Momentum: {
    domain: TRAINING_DOMAIN,
    inputs: [3, many],
    outputs: [1, many],
    attributes: { alpha: 'float', beta: 'float', mode: 'string', norm_coefficient: 'float' },
  },
  NegativeLogLikelihoodLoss: { inputs: [2, 3], outputs: [1, 1], attributes: loss },
  SoftmaxCrossEntropyLoss: { inputs: [2, 3], outputs: [1, 2], attributes: loss },
} as const satisfies Record<string, OpSchema>;
