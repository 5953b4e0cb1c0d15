/**
 * The operators of `kernels/cpu`, domain `archwright` version 1: what training graphs use where the
 * device has them. A deployment graph never holds one. Attributes are all required; `pads`,
 * `strides`, `dilations` and `group` are those of Conv, two spatial dimensions, float32.
 */
import { NATIVE_DOMAIN } from './graph.js';
import type { OpSchema } from './schema/schema.js';

const window = { dilations: 'ints', group: 'int', pads: 'ints', strides: 'ints' } as const;

export const nativeOpSchemas = {
  /**
   * dX = dY · slope(X): `slope` for low < X < high and 0 elsewhere, or with `ramp` 1 the derivative
   * of HardSwish. Inputs dY, X.
   */
  ActivationGrad: {
    domain: NATIVE_DOMAIN,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { high: 'float', low: 'float', ramp: 'int', slope: 'float' },
  },
  /**
   * W, mean and square after a step: g ← factor·g; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²;
   * w ← keep·w − size · m / (√v·correction + ε). Inputs W, mean, square, the scalars factor, keep, size,
   * correction, and the gradient in pieces one after the other, of any shapes.
   */
  AdamwUpdate: {
    domain: NATIVE_DOMAIN,
    inputs: [8, Number.POSITIVE_INFINITY],
    outputs: [3, 3],
    attributes: { beta1: 'float', beta2: 'float', epsilon: 'float' },
  },
  /** dQ, dK, dV. Inputs dY, Q, K, V and the two outputs of TrainingAttention. */
  AttentionGrad: {
    domain: NATIVE_DOMAIN,
    inputs: [6, 6],
    outputs: [3, 3],
    attributes: { scale: 'float' },
  },
  /** dX, dScale, dBias. Inputs dY, X, scale, mean and 1/√(variance + ε) of the batch. */
  BatchNormGrad: { domain: NATIVE_DOMAIN, inputs: [5, 5], outputs: [3, 3], attributes: {} },
  /** dX. Inputs dY, W; `spatial_shape` is that of X. */
  ConvInputGrad: {
    domain: NATIVE_DOMAIN,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { ...window, spatial_shape: 'ints' },
  },
  /** dW. Inputs dY, X; `kernel_shape` is that of W. */
  ConvWeightGrad: {
    domain: NATIVE_DOMAIN,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { ...window, kernel_shape: 'ints' },
  },
  /** dX. Inputs dY, X of x·Φ(x). */
  GeluGrad: { domain: NATIVE_DOMAIN, inputs: [2, 2], outputs: [1, 1], attributes: {} },
  /**
   * dX, dScale, dBias of a normalisation over the axes that scale has. Inputs dY, X, scale, and mean
   * and 1/√(variance + ε) of each row.
   */
  LayerNormGrad: { domain: NATIVE_DOMAIN, inputs: [5, 5], outputs: [3, 3], attributes: {} },
  /** dX. Inputs dY and the indices of MaxPool; `spatial_shape` is that of X. */
  MaxPoolGrad: {
    domain: NATIVE_DOMAIN,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { spatial_shape: 'ints' },
  },
  /**
   * W and velocity after a step: g ← factor·g + decay·w; v ← momentum·v + g; w ← w − rate·v, or with
   * `nesterov` 1 w − rate·(g + momentum·v). Inputs W, velocity, the scalars factor, rate, and the
   * gradient in pieces one after the other, of any shapes.
   */
  SgdUpdate: {
    domain: NATIVE_DOMAIN,
    inputs: [5, Number.POSITIVE_INFINITY],
    outputs: [2, 2],
    attributes: { decay: 'float', momentum: 'float', nesterov: 'int' },
  },
  /** dX. Inputs dY, X of x·σ(x). */
  SiluGrad: { domain: NATIVE_DOMAIN, inputs: [2, 2], outputs: [1, 1], attributes: {} },
  /** Sum of the squares of all elements of all inputs, a scalar. */
  SumOfSquares: {
    domain: NATIVE_DOMAIN,
    inputs: [1, Number.POSITIVE_INFINITY],
    outputs: [1, 1],
    attributes: {},
  },
  /**
   * Y = softmax(scale · Q·Kᵀ)·V, [N,L,H,D], and the logarithm of each row's sum of exponentials,
   * [N,H,L]. Inputs Q [N,L,H,C], K [N,S,H,C], V [N,S,H,D].
   */
  TrainingAttention: {
    domain: NATIVE_DOMAIN,
    inputs: [3, 3],
    outputs: [2, 2],
    attributes: { scale: 'float' },
  },
  /**
   * A tensor like the first input, drawn: offset + scale · u with u uniform over [0, 1), or standard
   * normal with `normal` 1. Input 1 is the number of the run, a scalar: draws are a function of it and
   * `seed`.
   */
  TensorDraws: {
    domain: NATIVE_DOMAIN,
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { normal: 'int', offset: 'float', scale: 'float', seed: 'int' },
  },
  /** Y, and mean, (biased) variance and 1/√(variance + ε) of the batch. Inputs X, scale, bias. */
  TrainingBatchNorm: {
    domain: NATIVE_DOMAIN,
    inputs: [3, 3],
    outputs: [4, 4],
    attributes: { epsilon: 'float' },
  },
  /** Conv with a weight that changes from run to run. Inputs X, W, optional bias. */
  TrainingConv: { domain: NATIVE_DOMAIN, inputs: [2, 3], outputs: [1, 1], attributes: window },
  /**
   * Loss −Σ target·log softmax(logits) / rows, and its gradient. Inputs logits and target, both [rows,
   * classes].
   */
  TrainingCrossEntropy: { domain: NATIVE_DOMAIN, inputs: [2, 2], outputs: [2, 2], attributes: {} },
  /** x·Φ(x), Φ the normal distribution's. A second input is only waited for. */
  TrainingGelu: { domain: NATIVE_DOMAIN, inputs: [1, 2], outputs: [1, 1], attributes: {} },
  /** x·σ(x). A second input is only waited for. */
  TrainingSilu: { domain: NATIVE_DOMAIN, inputs: [1, 2], outputs: [1, 1], attributes: {} },
} as const satisfies Record<string, OpSchema>;
