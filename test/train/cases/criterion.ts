/** Losses and updates that are operators. */
import type { GradientCases } from './case.js';

export const criterionCases: GradientCases = {};
