/** Costs: losses and updates that are operators. */
import type { criterionSchemas } from '../schema/criterion.js';
import type { CostRule } from './rule.js';

export const criterionCosts: Readonly<Record<keyof typeof criterionSchemas, CostRule>> = {};
