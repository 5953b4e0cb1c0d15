/** Further reductions and running sums. */
import type { GradientCases } from './case.js';

export const aggregateCases: GradientCases = {};
