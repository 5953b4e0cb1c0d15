/** Shape rules: further normalisations. */
import type { normalizeSchemas } from '../schema/normalize.js';
import type { ShapeRule } from './shape.js';

export const normalizeShapes: Readonly<Record<keyof typeof normalizeSchemas, ShapeRule>> = {};
