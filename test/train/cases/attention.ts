/** Attention and what belongs to it. */
import type { GradientCases } from './case.js';

export const attentionCases: GradientCases = {};
