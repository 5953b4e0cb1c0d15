/** Costs: further products, transforms and determinants. */
import type { algebraSchemas } from '../schema/algebra.js';
import type { CostRule } from './rule.js';

export const algebraCosts: Readonly<Record<keyof typeof algebraSchemas, CostRule>> = {};
