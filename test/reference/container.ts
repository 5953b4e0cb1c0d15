/** Sequences, optionals, text and tables of classical models. */
import type { Kernels } from './kernel.js';

export const container: Kernels = {};
