/** Costs: sequences, optionals, text and tables of classical models. */
import type { containerSchemas } from '../schema/container.js';
import type { CostRule } from './rule.js';

export const containerCosts: Readonly<Record<keyof typeof containerSchemas, CostRule>> = {};
