/**
 * Layers that the blocks and baselines are made of. Each adds nodes under `name` and returns the
 * value it makes; weights are named after their layer (`stage1.block2.conv1.weight`).
 */
import type { GraphBuilder } from '../../ir/builder.js';
import type { Activation, Norm } from '../conv-architecture.js';

export interface ConvOptions {
  /** Output channels. */
  readonly width: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
  /** Padding on every side; by default the one that keeps the size at stride 1. */
  readonly padding?: number;
  readonly bias?: boolean;
}

/** Convolution of [N, C, H, W]. */
export function addConv(
  builder: GraphBuilder,
  input: string,
  name: string,
  { width, kernel, stride = 1, groups = 1, padding, bias = false }: ConvOptions,
): string {
  const channels = channelsOf(builder, input);
  const pad = padding ?? (kernel - 1) / 2;
  const inputs = [
    input,
    builder.weight(`${name}.weight`, [width, channels / groups, kernel, kernel]),
  ];
  if (bias) inputs.push(builder.weight(`${name}.bias`, [width]));
  return builder.op(
    'Conv',
    inputs,
    {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      dilations: [1, 1],
      group: groups,
    },
    name,
  );
}

/** Batch normalisation of [N, C, H, W] in inference form. */
export function addBatchNorm(builder: GraphBuilder, input: string, name: string): string {
  const dims = [channelsOf(builder, input)];
  return builder.op(
    'BatchNormalization',
    [
      input,
      builder.weight(`${name}.scale`, dims),
      builder.weight(`${name}.bias`, dims),
      builder.weight(`${name}.mean`, dims, 'state'),
      builder.weight(`${name}.var`, dims, 'state'),
    ],
    { epsilon: 1e-5, momentum: 0.9 },
    name,
  );
}

/**
 * Convolution and norm, then the activation if `activation` is given. `suffix` numbers the layers of
 * a block: `${prefix}.conv${suffix}`, `${prefix}.norm${suffix}`, `${prefix}.act${suffix}`.
 */
export function addConvUnit(
  builder: GraphBuilder,
  input: string,
  prefix: string,
  suffix: number | '',
  options: Omit<ConvOptions, 'bias'> & { readonly norm: Norm; readonly activation?: Activation },
): string {
  const { norm, activation } = options;
  let value = addConv(builder, input, `${prefix}.conv${suffix}`, {
    ...options,
    bias: norm === 'none',
  });
  if (norm === 'batch') value = addBatchNorm(builder, value, `${prefix}.norm${suffix}`);
  if (activation === undefined) return value;
  return addActivation(builder, value, `${prefix}.act${suffix}`, activation);
}

/** Element-wise non-linearity, written in operators of opset 17. */
export function addActivation(
  builder: GraphBuilder,
  x: string,
  name: string,
  activation: Activation,
): string {
  switch (activation) {
    case 'relu':
      return builder.op('Relu', [x], {}, name);
    case 'relu6':
      return builder.op('Clip', [x, builder.scalar(0), builder.scalar(6)], {}, name);
    case 'hardswish':
      return builder.op('HardSwish', [x], {}, name);
    case 'silu': {
      const gate = builder.op('Sigmoid', [x], {}, `${name}.sigmoid`);
      return builder.op('Mul', [x, gate], {}, name);
    }
    case 'gelu': {
      // x · (1 + erf(x / √2)) · ½, the order of nodes that ONNX Runtime fuses into one kernel.
      const scaled = builder.op('Div', [x, builder.scalar(Math.SQRT2)], {}, `${name}.div`);
      const erf = builder.op('Erf', [scaled], {}, `${name}.erf`);
      const shifted = builder.op('Add', [erf, builder.scalar(1)], {}, `${name}.add`);
      const product = builder.op('Mul', [x, shifted], {}, `${name}.mul`);
      return builder.op('Mul', [product, builder.scalar(0.5)], {}, name);
    }
  }
}

/** Fully connected layer: [N, C] to [N, width]. */
export function addLinear(
  builder: GraphBuilder,
  input: string,
  name: string,
  width: number,
): string {
  const weight = builder.weight(`${name}.weight`, [width, channelsOf(builder, input)]);
  const bias = builder.weight(`${name}.bias`, [width]);
  return builder.op('Gemm', [input, weight, bias], { transB: 1 }, name);
}

/** Global average pooling: [N, C, H, W] to [N, C]. */
export function addGlobalPool(builder: GraphBuilder, input: string, prefix: string): string {
  const pooled = builder.op('GlobalAveragePool', [input], {}, `${prefix}.pool`);
  return builder.op('Flatten', [pooled], { axis: 1 }, `${prefix}.flatten`);
}

/** Size of axis 1. */
export function channelsOf(builder: GraphBuilder, value: string): number {
  return Number(builder.shapeOf(value)[1]);
}
