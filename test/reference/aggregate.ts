/** Further reductions and running sums. */
import type { Kernels } from './kernel.js';

export const aggregate: Kernels = {};
