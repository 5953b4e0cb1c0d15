/** Shape rules: graphs within a node: If, Loop, Scan. */
import type { controlSchemas } from '../schema/control.js';
import type { ShapeRule } from './shape.js';

export const controlShapes: Readonly<Record<keyof typeof controlSchemas, ShapeRule>> = {};
