/** What makes tensors: ranges, random draws, windows. */
import type { Kernels } from './kernel.js';

export const generate: Kernels = {};
