/** Gradients: recurrent layers. */
import type { recurrentSchemas } from '../../ir/schema/recurrent.js';
import type { GradientRow } from './rule.js';

export const recurrentGradients: Readonly<Record<keyof typeof recurrentSchemas, GradientRow>> = {};
