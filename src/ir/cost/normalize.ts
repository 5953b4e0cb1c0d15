/** Costs: further normalisations. */
import type { normalizeSchemas } from '../schema/normalize.js';
import { type CostRule, moving } from './rule.js';

export const normalizeCosts: Readonly<Record<keyof typeof normalizeSchemas, CostRule>> = {
  GroupNormalization: moving,
  InstanceNormalization: moving,
  LRN: moving,
  LpNormalization: moving,
  MeanVarianceNormalization: moving,
  RMSNormalization: moving,
};
