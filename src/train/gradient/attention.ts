/** Gradients: attention and what belongs to it. */
import type { attentionSchemas } from '../../ir/schema/attention.js';
import type { GradientRow } from './rule.js';

export const attentionGradients: Readonly<Record<keyof typeof attentionSchemas, GradientRow>> = {};
