/** Costs: picking and placing by index. */
import type { gatherSchemas } from '../schema/gather.js';
import type { CostRule } from './rule.js';

export const gatherCosts: Readonly<Record<keyof typeof gatherSchemas, CostRule>> = {};
