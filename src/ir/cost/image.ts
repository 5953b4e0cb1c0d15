/** Costs: images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { imageSchemas } from '../schema/image.js';
import type { CostRule } from './rule.js';

export const imageCosts: Readonly<Record<keyof typeof imageSchemas, CostRule>> = {};
