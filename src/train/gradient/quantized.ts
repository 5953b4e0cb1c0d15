/** Gradients: arithmetic on quantised tensors. */
import type { quantizedSchemas } from '../../ir/schema/quantized.js';
import type { GradientRow } from './rule.js';

export const quantizedGradients: Readonly<Record<keyof typeof quantizedSchemas, GradientRow>> = {};
