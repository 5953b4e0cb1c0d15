/** Attention and what belongs to it. */
import type { Kernels } from './kernel.js';

export const attention: Kernels = {};
