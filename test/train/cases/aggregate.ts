/** Gradient cases: further reductions and running sums. */
import type { AttributeValue } from '../../../src/ir/attributes.js';
import {
  type FloatInput,
  type GradientCase,
  type GradientCases,
  ints,
  positive,
  x,
} from './case.js';

type Make = (...dims: number[]) => FloatInput;

/** With axes as attributes and, from opset 18 on, as an input. */
const reductions = (make: Make): readonly GradientCase[] => [
  { about: 'all', inputs: [make(3, 4)], attributes: { keepdims: 0 } },
  { about: 'some kept', inputs: [make(2, 3, 4)], attributes: { axes: [0, -1] } },
  { about: 'some dropped', inputs: [make(2, 3, 4)], attributes: { axes: [1], keepdims: 0 } },
  { about: 'axes as input', inputs: [make(2, 3, 4), ints(-2)], opset: 18 },
  {
    about: 'none',
    inputs: [make(2, 3)],
    attributes: { noop_with_empty_axes: 1 },
    opset: 18,
  },
];

const along = (values: number): { dims: readonly number[]; values: readonly number[] } => ({
  dims: [],
  values: [values],
});

const running = (opset: number, make: Make): readonly GradientCase[] => {
  const one = (
    about: string,
    axis: number,
    attributes: Record<string, AttributeValue> = {},
  ): GradientCase => ({ about, inputs: [make(2, 5, 3), along(axis)], attributes, opset });
  return [
    one('plain', 1),
    one('last', -1),
    one('exclusive', 1, { exclusive: 1 }),
    one('reverse', 1, { reverse: 1 }),
    one('reverse, exclusive', 1, { exclusive: 1, reverse: 1 }),
    { ...one('of one', 0), inputs: [make(1, 3), along(0)] },
    { ...one('of one, exclusive', 0, { exclusive: 1 }), inputs: [make(1, 3), along(0)] },
  ];
};

/** One element in a row is exactly 0, two in another. */
const withZeros: FloatInput = { dims: [3, 4], data: [1, 2, 0, 3, 0, 2, 0, -1, 1, -2, 3, 0.5] };

export const aggregateCases: GradientCases = {
  CumProd: [...running(26, x), { about: 'zeros', inputs: [withZeros, along(1)], opset: 26 }],
  CumSum: running(17, x),
  Hardmax: [
    { about: 'last', inputs: [x(3, 5)] },
    { about: 'middle', inputs: [x(2, 3, 4)], attributes: { axis: 1 } },
  ],
  ReduceL1: reductions(x),
  ReduceL2: reductions(x),
  ReduceLogSum: reductions(positive),
  ReduceLogSumExp: reductions(x),
  ReduceProd: [
    ...reductions(x),
    { about: 'zeros', inputs: [withZeros], attributes: { axes: [1] } },
    { about: 'zeros, axes as input', inputs: [withZeros, ints(1)], opset: 18 },
  ],
  ReduceSumSquare: reductions(x),
};
