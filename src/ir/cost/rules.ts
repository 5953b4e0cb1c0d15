/**
 * What one run of an operator costs. Conventions:
 *
 * - 1 MAC is 1 multiplication and 1 addition (2 FLOPs). Only matrix products and convolutions
 *   count; bias, activation, normalisation, pooling and other element-by-element work are 0, as in
 *   the published figures of the usual networks.
 * - An operator reads each distinct input once and writes each output once: Reshape and Transpose
 *   move their bytes like any other. Those that pick (Gather, Slice) read what they pick; Shape reads
 *   nothing.
 * - Where the first output lies matters for the memory alone: views share the memory of their first
 *   input, and what works element by element may write over an input (a normalisation with fixed
 *   statistics is such, and runtimes fold it into the convolution before it).
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

/** Memory of an operator's first output: its own, that of an input which ends here, or its first input's. */
export type OutputKind = 'new' | 'inPlace' | 'view';

export interface CostRule {
  readonly macs: (context: CostContext) => number;
  /** Which inputs are read: all of them, as many bytes as are written, or none. */
  readonly reads: 'all' | 'picked' | 'none';
  readonly output: OutputKind;
}

const sizeOf = (dims: Dims) => (dims === undefined ? 0 : elementCount(dims));

/** Moves or transforms elements. */
const moving: CostRule = { macs: () => 0, reads: 'all', output: 'new' };
/** Transforms element by element. */
const elementwise: CostRule = { ...moving, output: 'inPlace' };
/** Only the dims change. */
const view: CostRule = { ...moving, output: 'view' };
const picking: CostRule = { ...moving, reads: 'picked' };
/** Makes a constant, or asks only for a shape. */
const shapeOnly: CostRule = { ...moving, reads: 'none' };

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
  ActivationGrad: moving,
  BatchNormGrad: moving,
  ConvInputGrad: {
    macs: ({ inputs: [dy, w] }) => sizeOf(dy) * sizeOf(w?.slice(1)),
    reads: 'all',
    output: 'new',
  },
  ConvWeightGrad: {
    macs: ({ inputs: [dy], outputs: [dw] }) => sizeOf(dy) * sizeOf(dw?.slice(1)),
    reads: 'all',
    output: 'new',
  },
  MaxPoolGrad: moving,
  TrainingBatchNorm: moving,
  TrainingConv: conv,
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
