/**
 * The operators that Archwright knows: arity and attributes. Every other table (shape, cost,
 * gradient) is keyed by `OpName`, so an operator added here must be added there for `tsc` to pass.
 * Attributes of older operator sets are listed too (axes of Squeeze, min and max of Clip, …), since
 * decoded models use them. Source: ONNX operator specifications, from opset 7 on. The rows here are
 * the common operators; the others are in `schema/`, one file per family, and the tables have files of
 * the same names. The operators of our own kernels are in `native-op-schema.ts`.
 */
import { nativeOpSchemas } from './native-op-schema.js';
import { aggregateSchemas } from './schema/aggregate.js';
import { algebraSchemas } from './schema/algebra.js';
import { attentionSchemas } from './schema/attention.js';
import { controlSchemas } from './schema/control.js';
import { criterionSchemas } from './schema/criterion.js';
import { gatherSchemas } from './schema/gather.js';
import { generateSchemas } from './schema/generate.js';
import { imageSchemas } from './schema/image.js';
import { mathSchemas } from './schema/math.js';
import { normalizeSchemas } from './schema/normalize.js';
import { quantizedSchemas } from './schema/quantized.js';
import { recurrentSchemas } from './schema/recurrent.js';
import type { OpSchema } from './schema/schema.js';

export type { OpSchema } from './schema/schema.js';

const many = Number.POSITIVE_INFINITY;
const unary: OpSchema = { inputs: [1, 1], outputs: [1, 1], attributes: {} };
const binary: OpSchema = { inputs: [2, 2], outputs: [1, 1], attributes: {} };
const reduce: OpSchema = {
  inputs: [1, 2],
  outputs: [1, 1],
  attributes: { axes: 'ints', keepdims: 'int', noop_with_empty_axes: 'int' },
};
const window = {
  auto_pad: 'string',
  kernel_shape: 'ints',
  pads: 'ints',
  strides: 'ints',
} as const;

export const opSchemas = {
  ...nativeOpSchemas,
  ...aggregateSchemas,
  ...algebraSchemas,
  ...attentionSchemas,
  ...controlSchemas,
  ...criterionSchemas,
  ...gatherSchemas,
  ...generateSchemas,
  ...imageSchemas,
  ...mathSchemas,
  ...normalizeSchemas,
  ...quantizedSchemas,
  ...recurrentSchemas,
  Abs: unary,
  Add: binary,
  And: binary,
  ArgMax: {
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { axis: 'int', keepdims: 'int', select_last_index: 'int' },
  },
  AveragePool: {
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { ...window, ceil_mode: 'int', count_include_pad: 'int', dilations: 'ints' },
  },
  BatchNormalization: {
    inputs: [5, 5],
    outputs: [1, 5],
    attributes: { epsilon: 'float', momentum: 'float', training_mode: 'int', spatial: 'int' },
  },
  Cast: {
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { round_mode: 'string', saturate: 'int', to: 'int' },
  },
  Clip: { inputs: [1, 3], outputs: [1, 1], attributes: { min: 'float', max: 'float' } },
  Concat: { inputs: [1, many], outputs: [1, 1], attributes: { axis: 'int' } },
  Constant: {
    inputs: [0, 0],
    outputs: [1, 1],
    attributes: {
      value: 'tensor',
      value_float: 'float',
      value_floats: 'floats',
      value_int: 'int',
      value_ints: 'ints',
    },
  },
  ConstantOfShape: { inputs: [1, 1], outputs: [1, 1], attributes: { value: 'tensor' } },
  Conv: {
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: { ...window, dilations: 'ints', group: 'int' },
  },
  ConvTranspose: {
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: {
      ...window,
      dilations: 'ints',
      group: 'int',
      output_padding: 'ints',
      output_shape: 'ints',
    },
  },
  DequantizeLinear: {
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: { axis: 'int', block_size: 'int', output_dtype: 'int' },
  },
  Div: binary,
  Dropout: {
    inputs: [1, 3],
    outputs: [1, 2],
    attributes: { ratio: 'float', seed: 'int' },
  },
  Elu: { inputs: [1, 1], outputs: [1, 1], attributes: { alpha: 'float' } },
  Equal: binary,
  Erf: unary,
  Exp: unary,
  Expand: binary,
  Flatten: { inputs: [1, 1], outputs: [1, 1], attributes: { axis: 'int' } },
  Gather: { inputs: [2, 2], outputs: [1, 1], attributes: { axis: 'int' } },
  Gemm: {
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' },
  },
  GlobalAveragePool: unary,
  GlobalMaxPool: unary,
  Greater: binary,
  GreaterOrEqual: binary,
  HardSigmoid: {
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { alpha: 'float', beta: 'float' },
  },
  HardSwish: unary,
  Identity: unary,
  LayerNormalization: {
    inputs: [2, 3],
    outputs: [1, 3],
    attributes: { axis: 'int', epsilon: 'float', stash_type: 'int' },
  },
  LeakyRelu: { inputs: [1, 1], outputs: [1, 1], attributes: { alpha: 'float' } },
  Less: binary,
  LessOrEqual: binary,
  Log: unary,
  LogSoftmax: { inputs: [1, 1], outputs: [1, 1], attributes: { axis: 'int' } },
  MatMul: binary,
  Max: { inputs: [1, many], outputs: [1, 1], attributes: {} },
  MaxPool: {
    inputs: [1, 1],
    outputs: [1, 2],
    attributes: { ...window, ceil_mode: 'int', dilations: 'ints', storage_order: 'int' },
  },
  Min: { inputs: [1, many], outputs: [1, 1], attributes: {} },
  Mul: binary,
  Neg: unary,
  Not: unary,
  OneHot: { inputs: [3, 3], outputs: [1, 1], attributes: { axis: 'int' } },
  Or: binary,
  Pad: {
    inputs: [1, 4],
    outputs: [1, 1],
    attributes: { mode: 'string', pads: 'ints', value: 'float' },
  },
  Pow: binary,
  QuantizeLinear: {
    inputs: [2, 3],
    outputs: [1, 1],
    attributes: {
      axis: 'int',
      block_size: 'int',
      output_dtype: 'int',
      precision: 'int',
      saturate: 'int',
    },
  },
  Reciprocal: unary,
  ReduceMax: reduce,
  ReduceMean: reduce,
  ReduceMin: reduce,
  ReduceSum: reduce,
  Relu: unary,
  Reshape: { inputs: [2, 2], outputs: [1, 1], attributes: { allowzero: 'int' } },
  ScatterElements: {
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { axis: 'int', reduction: 'string' },
  },
  Shape: { inputs: [1, 1], outputs: [1, 1], attributes: { start: 'int', end: 'int' } },
  Sigmoid: unary,
  Sign: unary,
  Slice: {
    inputs: [1, 5],
    outputs: [1, 1],
    attributes: { axes: 'ints', starts: 'ints', ends: 'ints' },
  },
  Softmax: { inputs: [1, 1], outputs: [1, 1], attributes: { axis: 'int' } },
  Softplus: unary,
  Split: {
    inputs: [1, 2],
    outputs: [1, many],
    attributes: { axis: 'int', split: 'ints', num_outputs: 'int' },
  },
  Sqrt: unary,
  Squeeze: { inputs: [1, 2], outputs: [1, 1], attributes: { axes: 'ints' } },
  Sub: binary,
  Sum: { inputs: [1, many], outputs: [1, 1], attributes: {} },
  Tanh: unary,
  Tile: binary,
  Transpose: { inputs: [1, 1], outputs: [1, 1], attributes: { perm: 'ints' } },
  Unsqueeze: { inputs: [1, 2], outputs: [1, 1], attributes: { axes: 'ints' } },
  Where: { inputs: [3, 3], outputs: [1, 1], attributes: {} },
} as const satisfies Record<string, OpSchema>;

/** An operator that the tables know. */
export type OpName = keyof typeof opSchemas;

/** The domain of a known operator; `''` is ONNX's own. */
export function domainOf(op: OpName): string {
  return schemaOf(op).domain ?? '';
}

/** Whether the tables know this operator. */
export function isKnownOp(op: string, domain = ''): op is OpName {
  return Object.hasOwn(opSchemas, op) && domainOf(op as OpName) === domain;
}

/** The schema of a known operator. */
export function schemaOf(op: OpName): OpSchema {
  return opSchemas[op];
}
