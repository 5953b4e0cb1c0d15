/** Operators: further normalisations. */
import type { OpSchema } from './schema.js';

export const normalizeSchemas = {
  GroupNormalization: {
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { epsilon: 'float', num_groups: 'int', stash_type: 'int' },
  },
  InstanceNormalization: {
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { epsilon: 'float' },
  },
  LRN: {
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { alpha: 'float', beta: 'float', bias: 'float', size: 'int' },
  },
  LpNormalization: {
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { axis: 'int', p: 'int' },
  },
  MeanVarianceNormalization: {
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { axes: 'ints' },
  },
  RMSNormalization: {
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { axis: 'int', epsilon: 'float', stash_type: 'int' },
  },
} as const satisfies Record<string, OpSchema>;
