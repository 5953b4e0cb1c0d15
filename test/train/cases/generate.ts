/** Gradient cases: none of what makes tensors has a gradient. */
import type { GradientCases } from './case.js';

export const generateCases: GradientCases = {};
