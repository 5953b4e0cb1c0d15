/** Gradients: sequences, optionals, text and tables of classical models. */
import type { containerSchemas } from '../../ir/schema/container.js';
import type { GradientRow } from './rule.js';

export const containerGradients: Readonly<Record<keyof typeof containerSchemas, GradientRow>> = {};
