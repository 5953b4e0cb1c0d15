/** Costs: recurrent layers. */
import type { recurrentSchemas } from '../schema/recurrent.js';
import type { CostRule } from './rule.js';

export const recurrentCosts: Readonly<Record<keyof typeof recurrentSchemas, CostRule>> = {};
