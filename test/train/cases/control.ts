/** Graphs within a node: If, Loop, Scan. */
import type { GradientCases } from './case.js';

export const controlCases: GradientCases = {};
