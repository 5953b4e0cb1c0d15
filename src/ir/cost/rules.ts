/** The table of costs; conventions are in `rule.ts`. */
import { intOf } from '../attributes.js';
import type { OpName } from '../op-schema.js';
import { aggregateCosts } from './aggregate.js';
import { algebraCosts } from './algebra.js';
import { attentionCosts } from './attention.js';
import { controlCosts } from './control.js';
import { criterionCosts } from './criterion.js';
import { gatherCosts } from './gather.js';
import { generateCosts } from './generate.js';
import { imageCosts } from './image.js';
import { mathCosts } from './math.js';
import { nativeCosts } from './native.js';
import { normalizeCosts } from './normalize.js';
import { quantizedCosts } from './quantized.js';
import { recurrentCosts } from './recurrent.js';
import { type CostRule, elementwise, moving, picking, shapeOnly, sizeOf, view } from './rule.js';

/** Each output element sums over C/group × kernel: w is [M,C/group,kernel…]. */
const conv: CostRule = {
  macs: ({ inputs: [, w], outputs: [y] }) => sizeOf(y) * sizeOf(w?.slice(1)),
  reads: 'all',
  output: 'new',
};

/** Each input element is spread over M/group × kernel: w is [C,M/group,kernel…]. */
const convTranspose: CostRule = {
  macs: ({ inputs: [x, w] }) => sizeOf(x) * sizeOf(w?.slice(1)),
  reads: 'all',
  output: 'new',
};

/** Each output element sums over K, the last axis of A. */
const matMul: CostRule = {
  macs: ({ inputs: [a], outputs: [y] }) => sizeOf(y) * (a?.at(-1) ?? 0),
  reads: 'all',
  output: 'new',
};

/** Each output element sums over K, the columns of A'. */
const gemm: CostRule = {
  macs: ({ node, inputs: [a], outputs: [y] }) =>
    sizeOf(y) * (a?.[intOf(node, 'transA', 0) === 1 ? 0 : 1] ?? 0),
  reads: 'all',
  output: 'new',
};

/** The table, one row per operator. */
export const costRules: Readonly<Record<OpName, CostRule>> = {
  ...aggregateCosts,
  ...algebraCosts,
  ...attentionCosts,
  ...controlCosts,
  ...criterionCosts,
  ...gatherCosts,
  ...generateCosts,
  ...imageCosts,
  ...mathCosts,
  ...nativeCosts,
  ...normalizeCosts,
  ...quantizedCosts,
  ...recurrentCosts,
  Abs: elementwise,
  Add: elementwise,
  And: moving,
  ArgMax: moving,
  AveragePool: moving,
  BatchNormalization: elementwise,
  Cast: moving,
  Clip: elementwise,
  Concat: moving,
  Constant: shapeOnly,
  ConstantOfShape: moving,
  Conv: conv,
  ConvTranspose: convTranspose,
  DequantizeLinear: moving,
  Div: elementwise,
  Dropout: view,
  Elu: elementwise,
  Equal: moving,
  Erf: elementwise,
  Exp: elementwise,
  Expand: moving,
  Flatten: view,
  Gather: picking,
  Gemm: gemm,
  GlobalAveragePool: moving,
  GlobalMaxPool: moving,
  Greater: moving,
  GreaterOrEqual: moving,
  HardSigmoid: elementwise,
  HardSwish: elementwise,
  Identity: view,
  LayerNormalization: moving,
  LeakyRelu: elementwise,
  Less: moving,
  LessOrEqual: moving,
  Log: elementwise,
  LogSoftmax: moving,
  MatMul: matMul,
  Max: elementwise,
  MaxPool: moving,
  Min: elementwise,
  Mul: elementwise,
  Neg: elementwise,
  Not: moving,
  OneHot: moving,
  Or: moving,
  Pad: moving,
  Pow: elementwise,
  QuantizeLinear: moving,
  Reciprocal: elementwise,
  ReduceMax: moving,
  ReduceMean: moving,
  ReduceMin: moving,
  ReduceSum: moving,
  Relu: elementwise,
  Reshape: view,
  ScatterElements: moving,
  Shape: shapeOnly,
  Sigmoid: elementwise,
  Sign: elementwise,
  Slice: picking,
  Softmax: moving,
  Softplus: elementwise,
  Split: moving,
  Sqrt: elementwise,
  Squeeze: view,
  Sub: elementwise,
  Sum: elementwise,
  Tanh: elementwise,
  Tile: moving,
  Transpose: moving,
  Unsqueeze: view,
  Where: moving,
};
