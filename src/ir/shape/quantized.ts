/** Shape rules: arithmetic on quantised tensors. */
import type { TensorType } from '../graph.js';
import type { quantizedSchemas } from '../schema/quantized.js';
import { conv } from './convolution.js';
import { matMul } from './matrix.js';
import { type InferContext, type ShapeRule, single } from './shape.js';

/** The rule of the arithmetic itself, on the operands at two places; element types may differ. */
function shapeBy(rule: ShapeRule, context: InferContext, a: number, b: number) {
  const operand = (i: number): TensorType | undefined => {
    const type = context.inputs[i];
    return type === undefined ? undefined : { ...type, dtype: 'int32' };
  };
  const { types } = rule({ ...context, inputs: [operand(a), operand(b)], contents: [] });
  return types[0]?.shape;
}

export const quantizedShapes: Readonly<Record<keyof typeof quantizedSchemas, ShapeRule>> = {
  ConvInteger: (context) => single('int32', shapeBy(conv, context, 0, 1)),
  /** y like x, its scale and its zero point. */
  DynamicQuantizeLinear: ({ inputs: [x] }) => ({
    types: [
      ...single('uint8', x?.shape).types,
      { dtype: 'float32', shape: [] },
      { dtype: 'uint8', shape: [] },
    ],
  }),
  MatMulInteger: (context) => single('int32', shapeBy(matMul, context, 0, 1)),
  /** The type is that of the result's zero point. */
  QLinearConv: (context) => single(context.inputs[7]?.dtype, shapeBy(conv, context, 0, 3)),
  QLinearMatMul: (context) => single(context.inputs[7]?.dtype, shapeBy(matMul, context, 0, 3)),
};
