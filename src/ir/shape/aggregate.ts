/** Shape rules: further reductions and running sums. */
import type { aggregateSchemas } from '../schema/aggregate.js';
import { multiplyDims, productOf } from './dims.js';
import { softmax } from './normalization.js';
import { argReduce, reduce, reduceTo } from './reduction.js';
import { fail, frontAxis, numbersOf, type ShapeRule, single } from './shape.js';

/** CumSum, CumProd: y like x, along an axis that exists. */
const running: ShapeRule = ({ node, inputs: [x, axis], contents }) => {
  if (axis?.shape !== undefined && axis.shape.length > 1) {
    fail(node, `expected one axis, received a tensor of ${axis.shape.length} dimensions`);
  }
  const known = numbersOf(contents[1])?.[0];
  if (known !== undefined && x?.shape !== undefined) frontAxis(node, known, x.shape.length);
  return single(x?.dtype, x?.shape);
};

/** Size: how many elements, as an int64 scalar. */
const size: ShapeRule = ({ inputs: [x] }) =>
  single('int64', [], x?.shape === undefined ? undefined : [productOf(x.shape)]);

export const aggregateShapes: Readonly<Record<keyof typeof aggregateSchemas, ShapeRule>> = {
  ArgMin: argReduce,
  CumProd: running,
  CumSum: running,
  Hardmax: softmax,
  ReduceL1: reduce,
  ReduceL2: reduce,
  ReduceLogSum: reduce,
  ReduceLogSumExp: reduce,
  ReduceProd: reduceTo(multiplyDims),
  ReduceSumSquare: reduce,
  Size: size,
};
