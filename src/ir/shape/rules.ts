/** The table of shape rules, one row per operator. */

import { aggregateShapes } from './aggregate.js';
import { algebraShapes } from './algebra.js';
import { attentionShapes } from './attention.js';
import {
  cast,
  constant,
  constantOfShape,
  dequantizeLinear,
  oneHot,
  quantizeLinear,
} from './constant.js';
import { controlShapes } from './control.js';
import { conv, convTranspose, globalPool, pool } from './convolution.js';
import { criterionShapes } from './criterion.js';
import { addDims, maxDims, minDims } from './dims.js';
import * as element from './elementwise.js';
import { gatherShapes } from './gather.js';
import { generateShapes } from './generate.js';
import { imageShapes } from './image.js';
import { gather, pad, scatterElements, shapeOf, slice } from './indexing.js';
import {
  concat,
  expand,
  flatten,
  reshape,
  split,
  squeeze,
  tile,
  transpose,
  unsqueeze,
} from './layout.js';
import { mathShapes } from './math.js';
import { gemm, matMul } from './matrix.js';
import { nativeShapes } from './native.js';
import { batchNormalization, layerNormalization, softmax } from './normalization.js';
import { normalizeShapes } from './normalize.js';
import { quantizedShapes } from './quantized.js';
import { recurrentShapes } from './recurrent.js';
import { argReduce, reduce, reduceTo } from './reduction.js';
import type { ShapeRules } from './shape.js';

export const shapeRules: ShapeRules = {
  ...aggregateShapes,
  ...algebraShapes,
  ...attentionShapes,
  ...controlShapes,
  ...criterionShapes,
  ...gatherShapes,
  ...generateShapes,
  ...imageShapes,
  ...mathShapes,
  ...nativeShapes,
  ...normalizeShapes,
  ...quantizedShapes,
  ...recurrentShapes,
  Abs: element.unary,
  Add: element.add,
  And: element.and,
  ArgMax: argReduce,
  AveragePool: pool,
  BatchNormalization: batchNormalization,
  Cast: cast,
  Clip: element.clip,
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Conv: conv,
  ConvTranspose: convTranspose,
  DequantizeLinear: dequantizeLinear,
  Div: element.divide,
  Dropout: element.dropout,
  Elu: element.unary,
  Equal: element.equal,
  Erf: element.unary,
  Exp: element.unary,
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Gemm: gemm,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  Greater: element.greater,
  GreaterOrEqual: element.greaterOrEqual,
  HardSigmoid: element.unary,
  HardSwish: element.unary,
  Identity: element.identity,
  LayerNormalization: layerNormalization,
  LeakyRelu: element.unary,
  Less: element.less,
  LessOrEqual: element.lessOrEqual,
  Log: element.unary,
  LogSoftmax: softmax,
  MatMul: matMul,
  Max: element.maximum,
  MaxPool: pool,
  Min: element.minimum,
  Mul: element.multiply,
  Neg: element.unary,
  Not: element.logicalUnary,
  OneHot: oneHot,
  Or: element.or,
  Pad: pad,
  Pow: element.power,
  QuantizeLinear: quantizeLinear,
  Reciprocal: element.unary,
  ReduceMax: reduceTo(maxDims),
  ReduceMean: reduce,
  ReduceMin: reduceTo(minDims),
  ReduceSum: reduceTo(addDims),
  Relu: element.unary,
  Reshape: reshape,
  ScatterElements: scatterElements,
  Shape: shapeOf,
  Sigmoid: element.unary,
  Sign: element.unary,
  Slice: slice,
  Softmax: softmax,
  Softplus: element.unary,
  Split: split,
  Sqrt: element.unary,
  Squeeze: squeeze,
  Sub: element.subtract,
  Sum: element.variadic,
  Tanh: element.unary,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Where: element.where,
};
