/** Gradients: further normalisations. */
import type { normalizeSchemas } from '../../ir/schema/normalize.js';
import type { GradientRow } from './rule.js';

export const normalizeGradients: Readonly<Record<keyof typeof normalizeSchemas, GradientRow>> = {};
