/** Costs: what makes tensors: ranges, random draws, windows. */
import type { generateSchemas } from '../schema/generate.js';
import type { CostRule } from './rule.js';

export const generateCosts: Readonly<Record<keyof typeof generateSchemas, CostRule>> = {};
