/** Losses and updates that are operators. */
import type { Kernels } from './kernel.js';

export const criterion: Kernels = {};
