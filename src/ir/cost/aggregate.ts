/** Costs: further reductions and running sums. */
import type { aggregateSchemas } from '../schema/aggregate.js';
import type { CostRule } from './rule.js';

export const aggregateCosts: Readonly<Record<keyof typeof aggregateSchemas, CostRule>> = {};
