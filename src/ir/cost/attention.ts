/** Costs: attention and what belongs to it. */
import type { attentionSchemas } from '../schema/attention.js';
import type { CostRule } from './rule.js';

export const attentionCosts: Readonly<Record<keyof typeof attentionSchemas, CostRule>> = {};
