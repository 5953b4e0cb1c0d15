/** Element by element: trigonometry, rounding, bits, further activations. */
import type { Kernels } from './kernel.js';

export const math: Kernels = {};
