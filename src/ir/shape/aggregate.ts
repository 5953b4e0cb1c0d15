/** Shape rules: further reductions and running sums. */
import type { aggregateSchemas } from '../schema/aggregate.js';
import type { ShapeRule } from './shape.js';

export const aggregateShapes: Readonly<Record<keyof typeof aggregateSchemas, ShapeRule>> = {};
