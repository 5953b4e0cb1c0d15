/** Further normalisations. */
import type { Kernels } from './kernel.js';

export const normalize: Kernels = {};
