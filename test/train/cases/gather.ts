/** Picking and placing by index. */
import type { GradientCases } from './case.js';

export const gatherCases: GradientCases = {};
