/** Images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { Kernels } from './kernel.js';

export const image: Kernels = {};
