/** Operators: images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { OpSchema } from './schema.js';

export const imageSchemas = {} as const satisfies Record<string, OpSchema>;
