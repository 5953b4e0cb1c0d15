/** Costs: element by element: trigonometry, rounding, bits, further activations. */
import type { mathSchemas } from '../schema/math.js';
import type { CostRule } from './rule.js';

export const mathCosts: Readonly<Record<keyof typeof mathSchemas, CostRule>> = {};
