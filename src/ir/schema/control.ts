/** Operators: graphs within a node: If, Loop, Scan. */
import type { OpSchema } from './schema.js';

const many = Number.POSITIVE_INFINITY;

export const controlSchemas = {
  If: {
    inputs: [1, 1],
    outputs: [1, many],
    attributes: { then_branch: 'graph', else_branch: 'graph' },
  },
  // The trip count and the condition may be left out, but their places stay.
  Loop: { inputs: [0, many], outputs: [1, many], attributes: { body: 'graph' } },
  Scan: {
    inputs: [1, many],
    outputs: [1, many],
    attributes: {
      body: 'graph',
      num_scan_inputs: 'int',
      scan_input_axes: 'ints',
      scan_input_directions: 'ints',
      scan_output_axes: 'ints',
      scan_output_directions: 'ints',
      directions: 'ints',
    },
  },
} as const satisfies Record<string, OpSchema>;
