/**
 * What one run of an operator costs. Conventions:
 *
 * - 1 MAC is 1 multiplication and 1 addition (2 FLOPs). Only matrix products and convolutions
 *   count; bias, activation, normalisation, pooling and other element-by-element work are 0, as in
 *   the published figures of the usual networks.
 * - An operator reads each distinct input once and writes each output once. Views and in-place
 *   updates are not assumed: Reshape and Transpose move their bytes like any other. Those that pick
 *   (Gather, Slice) read what they pick; Shape reads nothing.
 */
import { elementCount } from '../../util/tensor.js';
import { intOf } from '../attributes.js';
import type { Node } from '../graph.js';
import type { OpName } from '../op-schema.js';

/** A fixed tensor size; undefined where an input or output is left out. */
type Dims = readonly number[] | undefined;

/** What a cost rule sees. */
export interface CostContext {
  readonly node: Node;
  readonly inputs: readonly Dims[];
  readonly outputs: readonly Dims[];
}

export interface CostRule {
  readonly macs: (context: CostContext) => number;
  /** Which inputs are read: all of them, as many bytes as are written, or none. */
  readonly reads: 'all' | 'picked' | 'none';
}

const sizeOf = (dims: Dims) => (dims === undefined ? 0 : elementCount(dims));

/** Moves or transforms elements. */
const moving: CostRule = { macs: () => 0, reads: 'all' };
const picking: CostRule = { macs: () => 0, reads: 'picked' };
/** Makes a constant, or asks only for a shape. */
const shapeOnly: CostRule = { macs: () => 0, reads: 'none' };

/** Each output element sums over C/group × kernel: w is [M,C/group,kernel…]. */
const conv: CostRule = {
  macs: ({ inputs: [, w], outputs: [y] }) => sizeOf(y) * sizeOf(w?.slice(1)),
  reads: 'all',
};

/** Each input element is spread over M/group × kernel: w is [C,M/group,kernel…]. */
const convTranspose: CostRule = {
  macs: ({ inputs: [x, w] }) => sizeOf(x) * sizeOf(w?.slice(1)),
  reads: 'all',
};

/** Each output element sums over K, the last axis of A. */
const matMul: CostRule = {
  macs: ({ inputs: [a], outputs: [y] }) => sizeOf(y) * (a?.at(-1) ?? 0),
  reads: 'all',
};

/** Each output element sums over K, the columns of A'. */
const gemm: CostRule = {
  macs: ({ node, inputs: [a], outputs: [y] }) =>
    sizeOf(y) * (a?.[intOf(node, 'transA', 0) === 1 ? 0 : 1] ?? 0),
  reads: 'all',
};

/** The table, one row per operator. */
export const costRules: Readonly<Record<OpName, CostRule>> = {
  ActivationGrad: moving,
  BatchNormGrad: moving,
  ConvInputGrad: { macs: ({ inputs: [dy, w] }) => sizeOf(dy) * sizeOf(w?.slice(1)), reads: 'all' },
  ConvWeightGrad: {
    macs: ({ inputs: [dy], outputs: [dw] }) => sizeOf(dy) * sizeOf(dw?.slice(1)),
    reads: 'all',
  },
  MaxPoolGrad: moving,
  TrainingBatchNorm: moving,
  TrainingConv: conv,
  Abs: moving,
  Add: moving,
  And: moving,
  ArgMax: moving,
  AveragePool: moving,
  BatchNormalization: moving,
  Cast: moving,
  Clip: moving,
  Concat: moving,
  Constant: shapeOnly,
  ConstantOfShape: moving,
  Conv: conv,
  ConvTranspose: convTranspose,
  DequantizeLinear: moving,
  Div: moving,
  Dropout: moving,
  Elu: moving,
  Equal: moving,
  Erf: moving,
  Exp: moving,
  Expand: moving,
  Flatten: moving,
  Gather: picking,
  Gemm: gemm,
  GlobalAveragePool: moving,
  GlobalMaxPool: moving,
  Greater: moving,
  GreaterOrEqual: moving,
  HardSigmoid: moving,
  HardSwish: moving,
  Identity: moving,
  LayerNormalization: moving,
  LeakyRelu: moving,
  Less: moving,
  LessOrEqual: moving,
  Log: moving,
  LogSoftmax: moving,
  MatMul: matMul,
  Max: moving,
  MaxPool: moving,
  Min: moving,
  Mul: moving,
  Neg: moving,
  Not: moving,
  OneHot: moving,
  Or: moving,
  Pad: moving,
  Pow: moving,
  QuantizeLinear: moving,
  Reciprocal: moving,
  ReduceMax: moving,
  ReduceMean: moving,
  ReduceMin: moving,
  ReduceSum: moving,
  Relu: moving,
  Reshape: moving,
  ScatterElements: moving,
  Shape: shapeOnly,
  Sigmoid: moving,
  Sign: moving,
  Slice: picking,
  Softmax: moving,
  Softplus: moving,
  Split: moving,
  Sqrt: moving,
  Squeeze: moving,
  Sub: moving,
  Sum: moving,
  Tanh: moving,
  Tile: moving,
  Transpose: moving,
  Unsqueeze: moving,
  Where: moving,
};
