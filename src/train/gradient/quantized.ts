/** Gradients: arithmetic on quantised tensors. */
import type { quantizedSchemas } from '../../ir/schema/quantized.js';
import type { GradientRow, NotDifferentiable } from './rule.js';

const integers: NotDifferentiable = {
  notDifferentiable: 'it computes with integers; train the float model and quantise it afterwards',
};

export const quantizedGradients: Readonly<Record<keyof typeof quantizedSchemas, GradientRow>> = {
  ConvInteger: integers,
  DynamicQuantizeLinear: integers,
  MatMulInteger: integers,
  QLinearConv: integers,
  QLinearMatMul: integers,
};
