/** Training forms that run on our own kernels, and the gradients that these kernels compute. */
import { intOf } from '../../ir/attributes.js';
import { windowAttributes } from './convolution.js';
import { type GradientContext, type GradientRule, range } from './rule.js';
import { windowOf } from './window.js';

/** As Conv: dX and dW by kernel, db = Σ dY. */
export const trainingConv: GradientRule = (c) => {
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
export const trainingBatchNorm: GradientRule = (c) => {
  const [mean, rate] = [c.output(1), c.output(3)];
  if (mean === undefined || rate === undefined) throw c.refuse('it must have four outputs');
  const inputs = [c.dy, c.x(), c.x(1), mean, rate];
  return c.ops('BatchNormGrad', inputs, {}, 3);
};

/** Where a piecewise linear activation has slope 1, by the bounds of its output `y`. */
export function nativeClipGradient(c: GradientContext, low: number, high: number): string {
  return c.op('ActivationGrad', [c.dy, c.y], { low, high, slope: 1, ramp: 0 });
}
