/** Shape rules: arithmetic on quantised tensors. */
import type { quantizedSchemas } from '../schema/quantized.js';
import type { ShapeRule } from './shape.js';

export const quantizedShapes: Readonly<Record<keyof typeof quantizedSchemas, ShapeRule>> = {};
