/** Shape rules: sequences, optionals, text and tables of classical models. */
import type { containerSchemas } from '../schema/container.js';
import type { ShapeRule } from './shape.js';

export const containerShapes: Readonly<Record<keyof typeof containerSchemas, ShapeRule>> = {};
