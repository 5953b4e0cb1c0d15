/** Picking and placing by index. */
import type { Kernels } from './kernel.js';

export const gather: Kernels = {};
