/** Costs: further normalisations. */
import type { normalizeSchemas } from '../schema/normalize.js';
import type { CostRule } from './rule.js';

export const normalizeCosts: Readonly<Record<keyof typeof normalizeSchemas, CostRule>> = {};
