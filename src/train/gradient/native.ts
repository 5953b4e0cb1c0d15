/** Training forms that run on our own kernels, and the gradients that these kernels compute. */
import { floatOf, intOf } from '../../ir/attributes.js';
import type { nativeOpSchemas } from '../../ir/native-op-schema.js';
import { windowAttributes } from './convolution.js';
import { shapeAlone } from './generate.js';
import {
  type GradientContext,
  type GradientRow,
  type GradientRule,
  type NotDifferentiable,
  range,
} from './rule.js';
import { windowOf } from './window.js';

/** As Conv: dX and dW by kernel, db = Σ dY. */
const trainingConv: GradientRule = (c) => {
  const [x, w] = [c.x(0), c.x(1)];
  const [, , ...spatial_shape] = c.dims(x);
  const [, , ...kernel_shape] = c.dims(w);
  const window = windowOf(c.node, kernel_shape, spatial_shape, c.dims(c.y).slice(2));
  const { kernel_shape: _, ...attributes } = windowAttributes(window, intOf(c.node, 'group', 1));
  return c.each((i) => {
    if (i === 0) return c.op('ConvInputGrad', [c.dy, w], { ...attributes, spatial_shape });
    if (i === 1) return c.op('ConvWeightGrad', [c.dy, x], { ...attributes, kernel_shape });
    return c.reduceSum(c.dy, [0, ...range(c.dims(c.dy).length).slice(2)]);
  });
};

/** dx, dγ and dβ in one pass over the batch. */
const trainingBatchNorm: GradientRule = (c) => {
  const [mean, rate] = [c.output(1), c.output(3)];
  if (mean === undefined || rate === undefined) throw c.refuse('it must have four outputs');
  const inputs = [c.dy, c.x(), c.x(1), mean, rate];
  return c.ops('BatchNormGrad', inputs, {}, 3);
};

/** Where a piecewise linear activation has slope 1, by the bounds of its output `y`. */
export function nativeClipGradient(c: GradientContext, low: number, high: number): string {
  return c.op('ActivationGrad', [c.dy, c.y], { low, high, slope: 1, ramp: 0 });
}

/** As LayerNormalization with its statistics as outputs: all three gradients in one pass. */
export function nativeLayerNormGradient(c: GradientContext, mean: string, rate: string): string[] {
  return c.ops('LayerNormGrad', [c.dy, c.x(), c.x(1), mean, rate], {}, 3);
}

/** dQ, dK and dV in one pass over the scores. */
const trainingAttention: GradientRule = (c) => {
  const [y, normaliser] = [c.output(0), c.output(1)];
  if (y === undefined || normaliser === undefined) throw c.refuse('it must have two outputs');
  const inputs = [c.dy, c.x(0), c.x(1), c.x(2), y, normaliser];
  return c.ops('AttentionGrad', inputs, { scale: floatOf(c.node, 'scale', 1) }, 3);
};

const trainingGelu: GradientRule = (c) => [c.op('GeluGrad', [c.dy, c.x()])];
const trainingSilu: GradientRule = (c) => [c.op('SiluGrad', [c.dy, c.x()])];

const backward: NotDifferentiable = { notDifferentiable: 'it is part of a backward pass' };
const update: NotDifferentiable = { notDifferentiable: 'it is part of an update' };

export const nativeGradients: Readonly<Record<keyof typeof nativeOpSchemas, GradientRow>> = {
  ActivationGrad: backward,
  AdamwUpdate: update,
  AttentionGrad: backward,
  BatchNormGrad: backward,
  ConvInputGrad: backward,
  ConvWeightGrad: backward,
  GeluGrad: backward,
  LayerNormGrad: backward,
  MaxPoolGrad: backward,
  SgdUpdate: update,
  SiluGrad: backward,
  SumOfSquares: update,
  TensorDraws: shapeAlone,
  TrainingAttention: trainingAttention,
  TrainingBatchNorm: trainingBatchNorm,
  TrainingConv: trainingConv,
  TrainingCrossEntropy: backward,
  TrainingGelu: trainingGelu,
  TrainingSilu: trainingSilu,
};
