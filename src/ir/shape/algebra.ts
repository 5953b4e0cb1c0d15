/** Shape rules: further products, transforms and determinants. */
import type { algebraSchemas } from '../schema/algebra.js';
import type { ShapeRule } from './shape.js';

export const algebraShapes: Readonly<Record<keyof typeof algebraSchemas, ShapeRule>> = {};
