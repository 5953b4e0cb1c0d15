/** Sequences, optionals, text and tables of classical models. */
import type { GradientCases } from './case.js';

export const containerCases: GradientCases = {};
