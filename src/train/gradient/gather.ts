/** Gradients: picking and placing by index. */
import type { gatherSchemas } from '../../ir/schema/gather.js';
import type { GradientRow } from './rule.js';

export const gatherGradients: Readonly<Record<keyof typeof gatherSchemas, GradientRow>> = {};
