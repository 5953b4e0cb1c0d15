import type { GraphBuilder } from '../../ir/builder.js';
import { addConv, channelsOf } from './layer.js';

/** Channels per hidden unit of the gate. */
const REDUCTION = 4;

/**
 * Squeeze-and-excitation (arXiv 1709.01507): scales each channel by a gate in [0, 1] computed from the
 * mean of all channels. The gate is the hard sigmoid of MobileNetV3 (arXiv 1905.02244). `base` is the
 * channel count that the hidden width is taken from: in an expanded block the unexpanded one, as in
 * EfficientNet.
 */
export function addSqueezeExcite(
  builder: GraphBuilder,
  input: string,
  name: string,
  base: number,
): string {
  const pooled = builder.op('GlobalAveragePool', [input], {}, `${name}.pool`);
  const hidden = { width: Math.ceil(base / REDUCTION), kernel: 1, bias: true };
  const reduced = addConv(builder, pooled, `${name}.reduce`, hidden);
  const active = builder.op('Relu', [reduced], {}, `${name}.act`);
  const restored = { width: channelsOf(builder, input), kernel: 1, bias: true };
  const expanded = addConv(builder, active, `${name}.expand`, restored);
  const gate = builder.op('HardSigmoid', [expanded], { alpha: 1 / 6, beta: 0.5 }, `${name}.gate`);
  return builder.op('Mul', [input, gate], {}, name);
}
