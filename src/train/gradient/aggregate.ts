/** Gradients: further reductions and running sums. */
import type { aggregateSchemas } from '../../ir/schema/aggregate.js';
import type { GradientRow } from './rule.js';

export const aggregateGradients: Readonly<Record<keyof typeof aggregateSchemas, GradientRow>> = {};
