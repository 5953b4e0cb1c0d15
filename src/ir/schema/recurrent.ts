/** Operators: recurrent layers. */
import type { OpSchema } from './schema.js';

const layer = {
  activation_alpha: 'floats',
  activation_beta: 'floats',
  activations: 'strings',
  clip: 'float',
  direction: 'string',
  hidden_size: 'int',
  layout: 'int',
} as const;

export const recurrentSchemas = {
  GRU: {
    inputs: [3, 6],
    outputs: [0, 2],
    attributes: { ...layer, linear_before_reset: 'int' },
  },
  LSTM: { inputs: [3, 8], outputs: [0, 3], attributes: { ...layer, input_forget: 'int' } },
  RNN: { inputs: [3, 6], outputs: [0, 2], attributes: layer },
} as const satisfies Record<string, OpSchema>;
