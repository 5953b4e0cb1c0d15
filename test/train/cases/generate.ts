/** What makes tensors: ranges, random draws, windows. */
import type { GradientCases } from './case.js';

export const generateCases: GradientCases = {};
