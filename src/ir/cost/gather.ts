/** Costs: picking and placing by index. */
import type { gatherSchemas } from '../schema/gather.js';
import { type CostRule, moving, picking } from './rule.js';

export const gatherCosts: Readonly<Record<keyof typeof gatherSchemas, CostRule>> = {
  Compress: picking,
  GatherElements: picking,
  GatherND: picking,
  NonZero: moving,
  ReverseSequence: moving,
  Scatter: moving,
  ScatterND: moving,
  TensorScatter: moving,
  TopK: moving,
  Trilu: moving,
  Unique: moving,
};
