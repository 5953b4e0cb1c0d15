/** Element by element: trigonometry, rounding, bits, further activations. */
import type { GradientCases } from './case.js';

export const mathCases: GradientCases = {};
