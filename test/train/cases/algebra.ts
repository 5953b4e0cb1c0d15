/** Further products, transforms and determinants. */
import type { GradientCases } from './case.js';

export const algebraCases: GradientCases = {};
