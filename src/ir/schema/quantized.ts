/** Operators: arithmetic on quantised tensors. QuantizeLinear and DequantizeLinear are in the main table. */
import type { OpSchema } from './schema.js';

const window = {
  auto_pad: 'string',
  dilations: 'ints',
  group: 'int',
  kernel_shape: 'ints',
  pads: 'ints',
  strides: 'ints',
} as const;

export const quantizedSchemas = {
  ConvInteger: { inputs: [2, 4], outputs: [1, 1], attributes: window },
  DynamicQuantizeLinear: { inputs: [1, 1], outputs: [3, 3], attributes: {} },
  MatMulInteger: { inputs: [2, 4], outputs: [1, 1], attributes: {} },
  QLinearConv: { inputs: [8, 9], outputs: [1, 1], attributes: window },
  QLinearMatMul: { inputs: [8, 8], outputs: [1, 1], attributes: {} },
} as const satisfies Record<string, OpSchema>;
