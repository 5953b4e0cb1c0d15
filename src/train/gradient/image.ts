/** Gradients: images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { imageSchemas } from '../../ir/schema/image.js';
import type { GradientRow } from './rule.js';

export const imageGradients: Readonly<Record<keyof typeof imageSchemas, GradientRow>> = {};
