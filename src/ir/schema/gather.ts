/** Operators: picking and placing by index. */
import type { OpSchema } from './schema.js';

export const gatherSchemas = {
  Compress: { inputs: [2, 2], outputs: [1, 1], attributes: { axis: 'int' } },
  GatherElements: { inputs: [2, 2], outputs: [1, 1], attributes: { axis: 'int' } },
  GatherND: { inputs: [2, 2], outputs: [1, 1], attributes: { batch_dims: 'int' } },
  NonZero: { inputs: [1, 1], outputs: [1, 1], attributes: {} },
  ReverseSequence: {
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { batch_axis: 'int', time_axis: 'int' },
  },
  Scatter: { inputs: [3, 3], outputs: [1, 1], attributes: { axis: 'int' } },
  ScatterND: { inputs: [3, 3], outputs: [1, 1], attributes: { reduction: 'string' } },
  TensorScatter: { inputs: [2, 3], outputs: [1, 1], attributes: { axis: 'int', mode: 'string' } },
  TopK: {
    inputs: [1, 2],
    outputs: [2, 2],
    attributes: { axis: 'int', k: 'int', largest: 'int', sorted: 'int' },
  },
  Trilu: { inputs: [1, 2], outputs: [1, 1], attributes: { upper: 'int' } },
  Unique: { inputs: [1, 1], outputs: [1, 4], attributes: { axis: 'int', sorted: 'int' } },
} as const satisfies Record<string, OpSchema>;
