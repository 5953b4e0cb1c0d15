/** Shape rules: recurrent layers. */
import type { recurrentSchemas } from '../schema/recurrent.js';
import type { ShapeRule } from './shape.js';

export const recurrentShapes: Readonly<Record<keyof typeof recurrentSchemas, ShapeRule>> = {};
