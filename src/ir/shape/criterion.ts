/** Shape rules: losses and updates that are operators. */
import type { criterionSchemas } from '../schema/criterion.js';
import type { ShapeRule } from './shape.js';

export const criterionShapes: Readonly<Record<keyof typeof criterionSchemas, ShapeRule>> = {};
