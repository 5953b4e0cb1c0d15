/** Recurrent layers. */
import type { Kernels } from './kernel.js';

export const recurrent: Kernels = {};
