/** Gradients: element by element: trigonometry, rounding, bits, further activations. */
import type { mathSchemas } from '../../ir/schema/math.js';
import type { GradientRow } from './rule.js';

export const mathGradients: Readonly<Record<keyof typeof mathSchemas, GradientRow>> = {};
