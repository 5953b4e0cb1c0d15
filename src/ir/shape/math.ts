/** Shape rules: element by element: trigonometry, rounding, bits, further activations. */
import type { mathSchemas } from '../schema/math.js';
import type { ShapeRule } from './shape.js';

export const mathShapes: Readonly<Record<keyof typeof mathSchemas, ShapeRule>> = {};
