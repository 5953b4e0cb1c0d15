/** Arithmetic on quantised tensors. */
import type { GradientCases } from './case.js';

export const quantizedCases: GradientCases = {};
