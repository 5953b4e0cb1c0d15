/** Recurrent layers. */
import type { GradientCases } from './case.js';

export const recurrentCases: GradientCases = {};
