/** Costs: arithmetic on quantised tensors. */
import type { quantizedSchemas } from '../schema/quantized.js';
import type { CostRule } from './rule.js';

export const quantizedCosts: Readonly<Record<keyof typeof quantizedSchemas, CostRule>> = {};
