/** Costs: graphs within a node: If, Loop, Scan. */
import type { controlSchemas } from '../schema/control.js';
import type { CostRule } from './rule.js';

export const controlCosts: Readonly<Record<keyof typeof controlSchemas, CostRule>> = {};
