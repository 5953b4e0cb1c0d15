/** Costs: arithmetic on quantised tensors. */
import type { quantizedSchemas } from '../schema/quantized.js';
import { type CostRule, moving, sizeOf } from './rule.js';

/** Each output element sums over C/group × kernel: the weight at `w` is [M,C/group,kernel…]. */
const convBy = (w: number): CostRule => ({
  ...moving,
  macs: ({ inputs, outputs: [y] }) => sizeOf(y) * sizeOf(inputs[w]?.slice(1)),
});

/** Each output element sums over the last axis of A. */
const matMul: CostRule = {
  ...moving,
  macs: ({ inputs: [a], outputs: [y] }) => sizeOf(y) * (a?.at(-1) ?? 0),
};

export const quantizedCosts: Readonly<Record<keyof typeof quantizedSchemas, CostRule>> = {
  ConvInteger: convBy(1),
  DynamicQuantizeLinear: moving,
  MatMulInteger: matMul,
  QLinearConv: convBy(3),
  QLinearMatMul: matMul,
};
