/** Gradients: further products, transforms and determinants. */
import type { algebraSchemas } from '../../ir/schema/algebra.js';
import type { GradientRow } from './rule.js';

export const algebraGradients: Readonly<Record<keyof typeof algebraSchemas, GradientRow>> = {};
