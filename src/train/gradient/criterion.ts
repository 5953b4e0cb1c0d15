/** Gradients: losses and updates that are operators. */
import type { criterionSchemas } from '../../ir/schema/criterion.js';
import type { GradientRow } from './rule.js';

export const criterionGradients: Readonly<Record<keyof typeof criterionSchemas, GradientRow>> = {};
