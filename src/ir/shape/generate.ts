/** Shape rules: what makes tensors: ranges, random draws, windows. */
import type { generateSchemas } from '../schema/generate.js';
import type { ShapeRule } from './shape.js';

export const generateShapes: Readonly<Record<keyof typeof generateSchemas, ShapeRule>> = {};
