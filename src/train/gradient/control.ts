/** Gradients: graphs within a node: If, Loop, Scan. */
import type { controlSchemas } from '../../ir/schema/control.js';
import type { GradientRow } from './rule.js';

export const controlGradients: Readonly<Record<keyof typeof controlSchemas, GradientRow>> = {};
