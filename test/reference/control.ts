/** Graphs within a node: If, Loop, Scan. */
import type { Kernels } from './kernel.js';

export const control: Kernels = {};
