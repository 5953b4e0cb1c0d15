/** Arithmetic on quantised tensors. */
import type { Kernels } from './kernel.js';

export const quantized: Kernels = {};
