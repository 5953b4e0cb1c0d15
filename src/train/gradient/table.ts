/** The gradient of every operator, or why it has none. Rules are in the files of their family. */
import type { OpName } from '../../ir/op-schema.js';
import * as activation from './activation.js';
import { aggregateGradients } from './aggregate.js';
import { algebraGradients } from './algebra.js';
import * as arithmetic from './arithmetic.js';
import { attentionGradients } from './attention.js';
import { controlGradients } from './control.js';
import { conv, convTranspose } from './convolution.js';
import { criterionGradients } from './criterion.js';
import { dropout } from './dropout.js';
import { gatherGradients } from './gather.js';
import { generateGradients } from './generate.js';
import { imageGradients } from './image.js';
import * as layout from './layout.js';
import { mathGradients, piecewiseConstant } from './math.js';
import { gemm, matMul } from './matrix.js';
import { nativeGradients } from './native.js';
import { batchNormalization, layerNormalization } from './normalization.js';
import { normalizeGradients } from './normalize.js';
import { pad } from './padding.js';
import { averagePool, maxPool } from './pooling.js';
import { quantizedGradients } from './quantized.js';
import { recurrentGradients } from './recurrent.js';
import * as reduction from './reduction.js';
import type { GradientRow, NotDifferentiable } from './rule.js';
import { scatterElements } from './scatter.js';
import * as selection from './selection.js';

const logical: NotDifferentiable = { notDifferentiable: 'its result is true or false' };
const integer: NotDifferentiable = { notDifferentiable: 'its result is an index or a size' };
const source: NotDifferentiable = { notDifferentiable: 'it makes a constant' };

const quantized: NotDifferentiable = {
  notDifferentiable: 'it is part of a quantised model, made after training',
};

export const gradientRules: Readonly<Record<OpName, GradientRow>> = {
  ...aggregateGradients,
  ...algebraGradients,
  ...attentionGradients,
  ...controlGradients,
  ...criterionGradients,
  ...gatherGradients,
  ...generateGradients,
  ...imageGradients,
  ...mathGradients,
  ...nativeGradients,
  ...normalizeGradients,
  ...quantizedGradients,
  ...recurrentGradients,
  Abs: arithmetic.abs,
  Add: arithmetic.add,
  And: logical,
  ArgMax: integer,
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: layout.cast,
  Clip: activation.clip,
  Concat: layout.concat,
  Constant: source,
  ConstantOfShape: source,
  Conv: conv,
  ConvTranspose: convTranspose,
  DequantizeLinear: quantized,
  Div: arithmetic.div,
  Dropout: { expand: dropout },
  Elu: activation.elu,
  Equal: logical,
  Erf: arithmetic.erf,
  Exp: arithmetic.exp,
  Expand: layout.expand,
  Flatten: layout.reshape,
  Gather: selection.gather,
  Gemm: gemm,
  GlobalAveragePool: reduction.globalAveragePool,
  GlobalMaxPool: reduction.globalMaxPool,
  Greater: logical,
  GreaterOrEqual: logical,
  HardSigmoid: activation.hardSigmoid,
  HardSwish: activation.hardSwish,
  Identity: layout.reshape,
  LayerNormalization: layerNormalization,
  LeakyRelu: activation.leakyRelu,
  Less: logical,
  LessOrEqual: logical,
  Log: arithmetic.log,
  LogSoftmax: activation.logSoftmax,
  MatMul: matMul,
  Max: arithmetic.extremum,
  MaxPool: maxPool,
  Min: arithmetic.extremum,
  Mul: arithmetic.mul,
  Neg: arithmetic.neg,
  Not: logical,
  OneHot: selection.oneHot,
  Or: logical,
  Pad: pad,
  Pow: arithmetic.pow,
  QuantizeLinear: quantized,
  Reciprocal: arithmetic.reciprocal,
  ReduceMax: reduction.reduceExtremum,
  ReduceMean: reduction.reduceMean,
  ReduceMin: reduction.reduceExtremum,
  ReduceSum: reduction.reduceSum,
  Relu: activation.relu,
  Reshape: layout.reshape,
  ScatterElements: scatterElements,
  Shape: integer,
  Sigmoid: activation.sigmoid,
  Sign: piecewiseConstant,
  Slice: layout.slice,
  Softmax: activation.softmax,
  Softplus: activation.softplus,
  Split: layout.split,
  Sqrt: arithmetic.sqrt,
  Squeeze: layout.reshape,
  Sub: arithmetic.sub,
  Sum: arithmetic.sum,
  Tanh: activation.tanh,
  Tile: layout.tile,
  Transpose: layout.transpose,
  Unsqueeze: layout.reshape,
  Where: selection.where,
};
