/** Shape rules: attention and what belongs to it. */
import type { attentionSchemas } from '../schema/attention.js';
import type { ShapeRule } from './shape.js';

export const attentionShapes: Readonly<Record<keyof typeof attentionSchemas, ShapeRule>> = {};
