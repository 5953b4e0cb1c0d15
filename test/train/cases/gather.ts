/** Gradient cases: picking and placing by index. */
import { type GradientCase, type GradientCases, ints, x } from './case.js';

const picks = { dims: [2, 3], values: [1, 0, -1, 2, 2, 1] };
const flags = (...values: number[]) => ({ dims: [values.length], values, dtype: 'bool' as const });
const tuples = (dims: number[], ...values: number[]) => ({ dims, values });

/** Cases of ScatterElements and its kin, by reduction. */
export const scatterElementsCases: readonly GradientCase[] = [
  { about: 'written over', inputs: [x(4, 3), tuples([2, 3], 1, 0, 2, 3, 2, 0), x(2, 3)] },
  {
    about: 'added, repeated',
    inputs: [x(3, 4), tuples([3, 2], 1, 1, -1, 0, 2, 2), x(3, 2)],
    attributes: { axis: 1, reduction: 'add' },
  },
  {
    about: 'multiplied, repeated',
    inputs: [x(3, 4), tuples([3, 2], 1, 1, -1, 0, 2, 2), x(3, 2)],
    attributes: { axis: -1, reduction: 'mul' },
  },
  {
    about: 'multiplied by zeros',
    inputs: [
      x(5),
      ints(1, 1, 3, 3, 3, 4),
      { dims: [6], values: [0, 2, 0, 3, 0, 0.5], dtype: 'float32' },
    ],
    attributes: { reduction: 'mul' },
  },
  {
    about: 'largest',
    inputs: [x(3, 4), tuples([3, 2], 1, 1, -1, 0, 2, 2), x(3, 2)],
    attributes: { axis: 1, reduction: 'max' },
    opset: 18,
  },
  {
    about: 'smallest',
    inputs: [x(3, 4), tuples([2, 4], 1, 1, 0, 0, 2, 1, 0, 0), x(2, 4)],
    attributes: { reduction: 'min' },
    opset: 18,
  },
];

const scatterND = (about: string, reduction: string, opset?: number): GradientCase => ({
  about,
  inputs: [x(4, 2, 3), tuples([3, 2], 1, 0, -1, 1, 1, 0), x(3, 3)],
  attributes: { reduction },
  ...(opset === undefined ? {} : { opset }),
});

export const gatherCases: GradientCases = {
  Compress: [
    { about: 'flat', inputs: [x(2, 3), flags(0, 1, 0, 1, 1)] },
    { about: 'axis', inputs: [x(2, 3, 2), flags(1, 0, 1)], attributes: { axis: -2 } },
  ],
  GatherElements: [
    { about: 'rows', inputs: [x(3, 3), picks] },
    { about: 'columns', inputs: [x(2, 4), picks], attributes: { axis: -1 } },
  ],
  GatherND: [
    { about: 'elements', inputs: [x(3, 4), tuples([3, 2], 0, 1, -1, 2, 0, 1)] },
    { about: 'slices', inputs: [x(3, 4, 2), tuples([2, 1, 1], 2, -1)] },
    {
      about: 'batches',
      inputs: [x(2, 3, 4), tuples([2, 2, 1], 1, 0, 2, 2)],
      attributes: { batch_dims: 1 },
    },
    {
      about: 'two batch axes',
      inputs: [x(2, 2, 3), tuples([2, 2, 1], 1, 0, -1, 2)],
      attributes: { batch_dims: 2 },
    },
  ],
  ReverseSequence: [
    { about: 'time first', inputs: [x(4, 3, 2), ints(2, 4, 1)] },
    {
      about: 'batch first',
      inputs: [x(2, 4), ints(3, 1)],
      attributes: { batch_axis: 0, time_axis: 1 },
    },
  ],
  Scatter: [
    { about: 'axis', inputs: [x(2, 3), tuples([2, 1], 2, 0), x(2, 1)], attributes: { axis: 1 } },
  ],
  ScatterND: [
    { about: 'elements', inputs: [x(3, 4), tuples([2, 2], 0, 1, -1, 2), x(2)] },
    { about: 'slices', inputs: [x(4, 3), tuples([2, 1], 3, 0), x(2, 3)] },
    scatterND('added, repeated', 'add'),
    scatterND('multiplied, repeated', 'mul'),
    scatterND('largest', 'max', 18),
    scatterND('smallest', 'min', 18),
  ],
  TensorScatter: [
    { about: 'linear', inputs: [x(2, 1, 4, 3), x(2, 1, 2, 3), ints(1, 2)], opset: 24 },
    {
      about: 'circular',
      inputs: [x(2, 4, 3), x(2, 2, 3), ints(3, 1)],
      attributes: { axis: 1, mode: 'circular' },
      opset: 24,
    },
    { about: 'from the start', inputs: [x(1, 4, 2), x(1, 3, 2)], opset: 24 },
  ],
  TopK: [
    { about: 'largest', inputs: [x(3, 5), ints(2)], outputs: 2 },
    {
      about: 'smallest, other axis',
      inputs: [x(4, 3), ints(3)],
      attributes: { axis: 0, largest: 0 },
      outputs: 2,
    },
  ],
  Trilu: [
    { about: 'upper', inputs: [x(2, 3, 4)] },
    {
      about: 'lower, shifted',
      inputs: [x(4, 3), { dims: [], values: [-1] }],
      attributes: { upper: 0 },
    },
  ],
};
