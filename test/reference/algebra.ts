/** Further products, transforms and determinants. */
import type { Kernels } from './kernel.js';

export const algebra: Kernels = {};
