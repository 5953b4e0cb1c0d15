import type { SeparableStage } from '../conv-architecture.js';
import type { Block } from './block.js';
import { addConvUnit, channelsOf } from './layer.js';
import { addSqueezeExcite } from './squeeze-excite.js';

/** Depthwise, then pointwise convolution, each with norm and activation (MobileNet, arXiv 1704.04861). */
export const addSeparable: Block<SeparableStage> = (builder, input, prefix, genes, context) => {
  const { width, kernel, activation, squeezeExcite } = genes;
  const { norm, stride } = context;
  const channels = channelsOf(builder, input);
  const depthwise = { width: channels, groups: channels, kernel, stride, norm, activation };
  let value = addConvUnit(builder, input, prefix, 1, depthwise);
  if (squeezeExcite) value = addSqueezeExcite(builder, value, `${prefix}.se`, channels);
  return addConvUnit(builder, value, prefix, 2, { width, kernel: 1, norm, activation });
};
