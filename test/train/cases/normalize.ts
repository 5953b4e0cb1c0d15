/** Further normalisations. */
import type { GradientCases } from './case.js';

export const normalizeCases: GradientCases = {};
