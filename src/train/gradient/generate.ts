/** Gradients: what makes tensors: ranges, random draws, windows. */
import type { generateSchemas } from '../../ir/schema/generate.js';
import type { GradientRow } from './rule.js';

export const generateGradients: Readonly<Record<keyof typeof generateSchemas, GradientRow>> = {};
