/** Images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { GradientCases } from './case.js';

export const imageCases: GradientCases = {};
