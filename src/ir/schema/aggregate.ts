/** Operators: further reductions and running sums. */
import type { OpSchema } from './schema.js';

const unary: OpSchema = { inputs: [1, 1], outputs: [1, 1], attributes: {} };
const reduce: OpSchema = {
  inputs: [1, 2],
  outputs: [1, 1],
  attributes: { axes: 'ints', keepdims: 'int', noop_with_empty_axes: 'int' },
};
const running: OpSchema = {
  inputs: [2, 2],
  outputs: [1, 1],
  attributes: { exclusive: 'int', reverse: 'int' },
};

export const aggregateSchemas = {
  ArgMin: { ...unary, attributes: { axis: 'int', keepdims: 'int', select_last_index: 'int' } },
  CumProd: running,
  CumSum: running,
  Hardmax: { ...unary, attributes: { axis: 'int' } },
  ReduceL1: reduce,
  ReduceL2: reduce,
  ReduceLogSum: reduce,
  ReduceLogSumExp: reduce,
  ReduceProd: reduce,
  ReduceSumSquare: reduce,
  Size: unary,
} as const satisfies Record<string, OpSchema>;
