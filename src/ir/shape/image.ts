/** Shape rules: images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { imageSchemas } from '../schema/image.js';
import type { ShapeRule } from './shape.js';

export const imageShapes: Readonly<Record<keyof typeof imageSchemas, ShapeRule>> = {};
