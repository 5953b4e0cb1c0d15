/** Operators: further products, transforms and determinants. */
import type { OpSchema } from './schema.js';

export const algebraSchemas = {
  DFT: {
    inputs: [1, 3],
    outputs: [1, 1],
    attributes: { axis: 'int', inverse: 'int', onesided: 'int' },
  },
  Det: { inputs: [1, 1], outputs: [1, 1], attributes: {} },
  Einsum: {
    inputs: [1, Number.POSITIVE_INFINITY],
    outputs: [1, 1],
    attributes: { equation: 'string' },
  },
  STFT: { inputs: [2, 4], outputs: [1, 1], attributes: { onesided: 'int' } },
} as const satisfies Record<string, OpSchema>;
