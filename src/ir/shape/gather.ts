/** Shape rules: picking and placing by index. */
import type { gatherSchemas } from '../schema/gather.js';
import type { ShapeRule } from './shape.js';

export const gatherShapes: Readonly<Record<keyof typeof gatherSchemas, ShapeRule>> = {};
