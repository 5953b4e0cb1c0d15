/** Costs: losses and updates that are operators. */
import type { criterionSchemas } from '../schema/criterion.js';
import { type CostRule, moving } from './rule.js';

export const criterionCosts: Readonly<Record<keyof typeof criterionSchemas, CostRule>> = {
  Adagrad: moving,
  Adam: moving,
  Gradient: moving,
  Momentum: moving,
  NegativeLogLikelihoodLoss: moving,
  SoftmaxCrossEntropyLoss: moving,
};
