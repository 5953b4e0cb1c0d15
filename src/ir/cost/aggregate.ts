/** Costs: further reductions and running sums. */
import type { aggregateSchemas } from '../schema/aggregate.js';
import { type CostRule, moving, shapeOnly } from './rule.js';

export const aggregateCosts: Readonly<Record<keyof typeof aggregateSchemas, CostRule>> = {
  ArgMin: moving,
  CumProd: moving,
  CumSum: moving,
  Hardmax: moving,
  ReduceL1: moving,
  ReduceL2: moving,
  ReduceLogSum: moving,
  ReduceLogSumExp: moving,
  ReduceProd: moving,
  ReduceSumSquare: moving,
  Size: shapeOnly,
};
