import type { ResidualStage } from '../conv-architecture.js';
import type { Block } from './block.js';
import { addActivation, addConvUnit, channelsOf } from './layer.js';
import { addSqueezeExcite } from './squeeze-excite.js';

/**
 * Basic residual block (arXiv 1512.03385): two convolutions beside a shortcut, which is a 1×1
 * convolution where the shape changes.
 */
export const addResidual: Block<ResidualStage> = (builder, input, prefix, genes, context) => {
  const { width, kernel, activation, squeezeExcite } = genes;
  const { norm, stride } = context;
  const isSameShape = stride === 1 && channelsOf(builder, input) === width;
  const first = { width, kernel, stride, norm, activation };
  let value = addConvUnit(builder, input, prefix, 1, first);
  value = addConvUnit(builder, value, prefix, 2, { width, kernel, norm });
  if (squeezeExcite) value = addSqueezeExcite(builder, value, `${prefix}.se`, width);
  const shortcut = isSameShape
    ? input
    : addConvUnit(builder, input, `${prefix}.shortcut`, '', { width, kernel: 1, stride, norm });
  const sum = builder.op('Add', [value, shortcut], {}, `${prefix}.add`);
  return addActivation(builder, sum, `${prefix}.act2`, activation);
};
