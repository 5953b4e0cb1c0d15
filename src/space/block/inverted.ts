import type { InvertedStage } from '../conv-architecture.js';
import type { Block } from './block.js';
import { addConvUnit, channelsOf } from './layer.js';
import { addSqueezeExcite } from './squeeze-excite.js';

/**
 * Inverted residual (MobileNetV2, arXiv 1801.04381): pointwise expansion, depthwise convolution,
 * linear pointwise projection, and a shortcut where the shape stays. Expansion 1 has no first layer.
 */
export const addInverted: Block<InvertedStage> = (builder, input, prefix, genes, context) => {
  const { width, kernel, activation, squeezeExcite, expansion } = genes;
  const { norm, stride } = context;
  const channels = channelsOf(builder, input);
  const expanded = channels * expansion;
  let value = input;
  if (expansion > 1) {
    value = addConvUnit(builder, value, prefix, 1, {
      width: expanded,
      kernel: 1,
      norm,
      activation,
    });
  }
  const depthwise = { width: expanded, groups: expanded, kernel, stride, norm, activation };
  value = addConvUnit(builder, value, prefix, 2, depthwise);
  if (squeezeExcite) value = addSqueezeExcite(builder, value, `${prefix}.se`, channels);
  value = addConvUnit(builder, value, prefix, 3, { width, kernel: 1, norm });
  if (stride !== 1 || channels !== width) return value;
  return builder.op('Add', [value, input], {}, `${prefix}.add`);
};
