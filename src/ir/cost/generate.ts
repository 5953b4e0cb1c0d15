/** Costs: what makes tensors: ranges, random draws, windows. */
import type { generateSchemas } from '../schema/generate.js';
import { type CostRule, moving } from './rule.js';

/** Writes without reading. */
const making: CostRule = { ...moving, reads: 'none' };

export const generateCosts: Readonly<Record<keyof typeof generateSchemas, CostRule>> = {
  Bernoulli: moving,
  BlackmanWindow: making,
  EyeLike: making,
  HammingWindow: making,
  HannWindow: making,
  MelWeightMatrix: making,
  Multinomial: moving,
  RandomNormal: making,
  RandomNormalLike: making,
  RandomUniform: making,
  RandomUniformLike: making,
  Range: making,
};
