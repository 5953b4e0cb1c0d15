/** Nodes on which gradient rules are checked: several per operator, with what makes each different. */
import type { AttributeValue } from '../../src/ir/attributes.js';
import { aggregateCases } from './cases/aggregate.js';
import { algebraCases } from './cases/algebra.js';
import { attentionCases } from './cases/attention.js';
import {
  fixed,
  type GradientCase,
  type GradientCases,
  ints,
  positive,
  wide,
  x,
} from './cases/case.js';
import { controlCases } from './cases/control.js';
import { criterionCases } from './cases/criterion.js';
import { gatherCases, scatterElementsCases } from './cases/gather.js';
import { generateCases } from './cases/generate.js';
import { imageCases } from './cases/image.js';
import { mathCases } from './cases/math.js';
import { normalizeCases } from './cases/normalize.js';
import { quantizedCases } from './cases/quantized.js';
import { recurrentCases } from './cases/recurrent.js';

const unary: readonly GradientCase[] = [{ about: 'matrix', inputs: [x(3, 5)] }];
const onPositive: readonly GradientCase[] = [{ about: 'positive', inputs: [positive(3, 5)] }];
const binary: readonly GradientCase[] = [
  { about: 'same dims', inputs: [x(3, 4), x(3, 4)] },
  { about: 'both stretched', inputs: [x(2, 1, 4), x(3, 1)] },
  { about: 'scalar', inputs: [x(3, 4), x()] },
  { about: 'ones kept', inputs: [x(1, 1), x(1)] },
];
const overPositive: readonly GradientCase[] = [
  { about: 'same dims', inputs: [x(3, 4), positive(3, 4)] },
  { about: 'both stretched', inputs: [x(2, 1, 4), positive(3, 1)] },
];
const variadic: readonly GradientCase[] = [
  { about: 'one', inputs: [x(3, 4)] },
  { about: 'three, stretched', inputs: [x(3, 4), x(4), x(3, 1)] },
];
const reduce = (axesAsInput: boolean): readonly GradientCase[] =>
  axesAsInput
    ? [
        { about: 'all', inputs: [x(3, 4)] },
        { about: 'some kept', inputs: [x(2, 3, 4), ints(0, -1)] },
        { about: 'some dropped', inputs: [x(2, 3, 4), ints(1)], attributes: { keepdims: 0 } },
        { about: 'none', inputs: [x(2, 3)], attributes: { noop_with_empty_axes: 1 } },
      ]
    : [
        { about: 'all', inputs: [x(3, 4)], attributes: { keepdims: 0 } },
        { about: 'some kept', inputs: [x(2, 3, 4)], attributes: { axes: [0, -1] } },
        { about: 'some dropped', inputs: [x(2, 3, 4)], attributes: { axes: [1], keepdims: 0 } },
      ];
const alongAxis: readonly GradientCase[] = [
  { about: 'last', inputs: [x(3, 5)], attributes: { axis: -1 } },
  { about: 'middle', inputs: [x(2, 3, 4)], attributes: { axis: 1 } },
];

const conv = (
  about: string,
  xDims: readonly number[],
  wDims: readonly number[],
  attributes: Record<string, AttributeValue> = {},
  bias?: number,
): GradientCase => ({
  about,
  inputs: [x(...xDims), x(...wDims), ...(bias === undefined ? [] : [x(bias)])],
  attributes: { kernel_shape: wDims.slice(2), ...attributes },
});

const pool = (
  about: string,
  dims: readonly number[],
  kernel: readonly number[],
  attributes: Record<string, AttributeValue> = {},
  outputs = 1,
): GradientCase => ({
  about,
  inputs: [x(...dims)],
  attributes: { kernel_shape: kernel, ...attributes },
  outputs,
});

const dw = { group: 3 };
const same = { pads: [1, 1, 1, 1] };
const strided = { strides: [2, 2], pads: [1, 1, 1, 1] };

const convolutions: readonly GradientCase[] = [
  conv('valid', [2, 2, 5, 4], [3, 2, 3, 2]),
  conv('same, bias', [2, 2, 4, 5], [3, 2, 3, 3], same, 3),
  conv('many channels', [2, 9, 4, 4], [2, 9, 3, 3], same),
  conv('pointwise', [2, 3, 3, 4], [4, 3, 1, 1]),
  conv('pointwise strided', [2, 3, 5, 4], [4, 3, 1, 1], { strides: [2, 2] }),
  conv('strided', [2, 2, 5, 6], [3, 2, 3, 3], strided),
  conv('strided, rest left over', [1, 2, 8, 7], [2, 2, 3, 2], { strides: [3, 2] }),
  conv('dilated', [1, 2, 7, 6], [2, 2, 3, 2], { dilations: [2, 3], pads: [1, 0, 1, 1] }),
  conv('dilated and strided', [1, 2, 8, 9], [2, 2, 2, 3], { dilations: [3, 2], strides: [2, 2] }),
  conv('pads beyond the kernel', [1, 1, 3, 3], [1, 1, 2, 2], { pads: [2, 1, 2, 3] }),
  conv('uneven pads', [1, 2, 5, 5], [2, 2, 3, 3], { pads: [0, 2, 1, 0] }),
  conv('groups', [2, 4, 4, 4], [6, 2, 3, 3], { group: 2, ...same }, 6),
  conv('groups strided', [1, 4, 5, 6], [4, 2, 3, 3], { group: 2, ...strided }),
  conv('depthwise', [2, 3, 4, 5], [3, 1, 3, 3], { ...dw, ...same }),
  conv('depthwise strided', [2, 3, 5, 6], [3, 1, 3, 3], { ...dw, ...strided }),
  conv('depthwise multiplied', [1, 3, 4, 4], [6, 1, 3, 3], { ...dw, ...same }),
  conv('same upper', [1, 2, 6, 5], [2, 2, 3, 3], { strides: [2, 2], auto_pad: 'SAME_UPPER' }),
  conv('1d', [2, 3, 7], [2, 3, 3], { pads: [1, 1], strides: [2] }, 2),
  conv('1d wide', [2, 8, 7], [2, 8, 3], { pads: [1, 1] }),
  conv('3d', [1, 2, 3, 4, 3], [2, 2, 2, 3, 2], { strides: [1, 2, 1], pads: [1, 1, 0, 0, 1, 1] }, 2),
  conv('3d groups', [2, 4, 3, 2, 4], [2, 2, 2, 1, 3], { group: 2, pads: [0, 0, 1, 1, 0, 1] }),
  conv('same lower', [1, 2, 6, 5], [2, 2, 2, 3], { strides: [2, 1], auto_pad: 'SAME_LOWER' }),
];

/** The cases that our kernels take: two spatial dims, all attributes given. */
const nativeConvolutions = convolutions
  .filter(({ inputs, attributes }) => inputs[0]?.dims.length === 4 && !attributes?.auto_pad)
  .map(({ attributes: { kernel_shape: _, ...attributes } = {}, ...rest }) => ({
    ...rest,
    attributes: { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1, ...attributes },
  }));

export const gradientCases: GradientCases = {
  ...aggregateCases,
  ...algebraCases,
  ...attentionCases,
  ...controlCases,
  ...criterionCases,
  ...gatherCases,
  ...generateCases,
  ...imageCases,
  ...mathCases,
  ...normalizeCases,
  ...quantizedCases,
  ...recurrentCases,
  Abs: unary,
  Add: binary,
  AveragePool: [
    pool('tiles', [2, 2, 4, 6], [2, 3], { strides: [2, 3] }),
    pool('overlap', [2, 2, 5, 5], [3, 3], { strides: [1, 1] }),
    pool('pads not counted', [1, 2, 5, 5], [3, 3], strided),
    pool('pads counted', [1, 2, 5, 5], [3, 3], { ...strided, count_include_pad: 1 }),
    pool('rest left over', [1, 2, 6, 5], [2, 2], { strides: [2, 2] }),
    pool('rounded up', [1, 1, 6, 6], [3, 3], { strides: [2, 2], ceil_mode: 1 }),
    pool('1d', [2, 3, 7], [3], { strides: [2] }),
    pool('same lower', [1, 1, 6, 5], [3, 2], { strides: [2, 2], auto_pad: 'SAME_LOWER' }),
    pool('3d', [1, 2, 4, 3, 5], [2, 2, 3], { strides: [2, 1, 2], pads: [0, 1, 1, 0, 0, 1] }),
    {
      ...pool('dilated', [1, 2, 6, 5], [2, 3], { dilations: [2, 1], strides: [2, 3] }),
      opset: 19,
    },
  ],
  BatchNormalization: [
    { about: 'inference', inputs: [x(3, 2, 2, 2), x(2), x(2), x(2), positive(2)] },
    { about: 'inference, matrix', inputs: [x(4, 3), x(3), x(3), x(3), positive(3)] },
    {
      about: 'training',
      inputs: [x(3, 2, 2, 2), x(2), x(2), fixed(2), fixed(2)],
      attributes: { training_mode: 1, epsilon: 1e-3 },
      outputs: 3,
    },
    {
      about: 'training, running statistics used',
      inputs: [x(3, 2, 2), x(2), x(2), x(2), positive(2)],
      attributes: { training_mode: 1, momentum: 0.7 },
      outputs: 3,
      seeded: [0, 1, 2],
    },
    {
      about: 'training, five axes',
      inputs: [x(2, 2, 2, 1, 3), x(2), x(2), fixed(2), fixed(2)],
      attributes: { training_mode: 1, momentum: 1 },
      outputs: 3,
    },
    {
      about: 'training, momentum 0',
      inputs: [x(4, 3, 5), x(3), x(3), fixed(3), fixed(3)],
      attributes: { training_mode: 1, momentum: 0 },
      outputs: 3,
    },
  ],
  Cast: [{ about: 'to float32', inputs: [x(2, 3)], attributes: { to: 1 } }],
  Clip: [
    {
      about: 'both',
      inputs: [
        x(4, 5),
        { ...x(), range: [-1.03, -1.03], fixed: true },
        { ...x(), range: [0.77, 0.77], fixed: true },
      ],
    },
    {
      about: 'high only',
      inputs: [x(4, 5), undefined, { ...x(), range: [0.77, 0.77], fixed: true }],
    },
    { about: 'none', inputs: [x(4, 5)] },
    {
      about: 'trained bounds',
      inputs: [x(4, 5), { ...x(), range: [-1.03, -1.03] }, { ...x(), range: [0.77, 0.77] }],
    },
    { about: 'a trained lower bound', inputs: [x(4, 5), { ...x(), range: [-1.03, -1.03] }] },
    {
      about: 'bounds that cross',
      inputs: [x(4, 5), { ...x(), range: [1.03, 1.03] }, { ...x(), range: [-0.77, -0.77] }],
    },
  ],
  Concat: [
    { about: 'first axis', inputs: [x(2, 3), x(1, 3), x(3, 3)], attributes: { axis: 0 } },
    { about: 'last axis', inputs: [x(2, 1, 2), x(2, 1, 3)], attributes: { axis: -1 } },
  ],
  Conv: convolutions,
  ConvTranspose: [
    conv('plain', [2, 2, 3, 4], [2, 3, 3, 2], {}, 3),
    conv('strided', [1, 2, 3, 3], [2, 3, 3, 3], { ...strided, output_padding: [1, 0] }),
    conv('groups', [1, 4, 3, 3], [4, 2, 2, 2], { group: 2, dilations: [2, 1] }),
    conv('depthwise', [2, 3, 3, 3], [3, 1, 3, 3], { ...dw, ...same }),
    conv('1d', [2, 2, 4], [2, 3, 3], { strides: [2], pads: [1, 0] }),
    conv('3d', [1, 2, 2, 3, 2], [2, 2, 2, 1, 3], { strides: [1, 2, 1], pads: [0, 0, 1, 0, 0, 1] }),
    conv('same upper', [1, 2, 3, 4], [2, 2, 3, 2], { strides: [2, 2], auto_pad: 'SAME_UPPER' }, 2),
    conv('same lower', [1, 2, 3, 4], [2, 2, 4, 3], { strides: [2, 2], auto_pad: 'SAME_LOWER' }),
    conv('stated size', [1, 1, 3, 3], [1, 2, 3, 3], {
      strides: [3, 2],
      output_shape: [10, 8],
      output_padding: [1, 1],
    }),
    conv('smaller stated size', [1, 2, 3, 3], [2, 1, 4, 3], {
      strides: [2, 2],
      output_shape: [5, 6],
    }),
  ],
  Div: overPositive,
  Dropout: unary,
  Elu: [...unary, { about: 'alpha', inputs: [x(3, 5)], attributes: { alpha: 0.5 } }],
  Erf: unary,
  Exp: unary,
  Expand: [
    { about: 'stretched', inputs: [x(3, 1), ints(2, 3, 4)] },
    { about: 'unchanged', inputs: [x(2, 3), ints(2, 3)] },
  ],
  Flatten: [{ about: 'middle', inputs: [x(2, 3, 4)], attributes: { axis: 1 } }],
  Gather: [
    { about: 'rows, repeated', inputs: [x(4, 3), ints(2, 0, 2, -1)] },
    {
      about: 'matrix of indices',
      inputs: [x(2, 4, 3), { dims: [2, 2], values: [1, 3, 1, 0] }],
      attributes: { axis: 1 },
    },
    { about: 'one', inputs: [x(4, 3), { dims: [], values: [1] }] },
  ],
  Gemm: [
    { about: 'plain', inputs: [x(3, 4), x(4, 2)] },
    { about: 'row of biases', inputs: [x(3, 4), x(2, 4), x(2)], attributes: { transB: 1 } },
    {
      about: 'left transposed',
      inputs: [x(4, 3), x(4, 2), x(3, 1)],
      attributes: { transA: 1, alpha: 0.5, beta: 2 },
    },
    {
      about: 'both transposed',
      inputs: [x(4, 3), x(2, 4), x()],
      attributes: { transA: 1, transB: 1, alpha: 2 },
    },
  ],
  GlobalAveragePool: [
    { about: 'image', inputs: [x(2, 3, 4, 2)] },
    { about: '1d', inputs: [x(2, 3, 4)] },
  ],
  GlobalMaxPool: [{ about: 'image', inputs: [x(2, 3, 4, 2)] }],
  HardSigmoid: [
    { about: 'default', inputs: [wide(4, 6)] },
    { about: 'as in HardSwish', inputs: [wide(4, 6)], attributes: { alpha: 1 / 6, beta: 0.5 } },
  ],
  HardSwish: [{ about: 'wide', inputs: [wide(4, 7)] }],
  Identity: unary,
  LayerNormalization: [
    { about: 'last axis', inputs: [x(3, 5), x(5), x(5)] },
    { about: 'no bias', inputs: [x(3, 5), x(5)], attributes: { epsilon: 1e-3 } },
    { about: 'two axes', inputs: [x(2, 3, 4), x(3, 4), x(3, 4)], attributes: { axis: 1 } },
    { about: 'statistics kept', inputs: [x(3, 5), x(5), x(5)], outputs: 3 },
    {
      about: 'statistics used',
      inputs: [x(2, 3, 4), x(3, 4), x(1)],
      attributes: { axis: 1 },
      outputs: 3,
      seeded: [0, 1, 2],
    },
    { about: 'first axis', inputs: [x(2, 3), x(3)], attributes: { axis: 0 } },
    { about: 'statistics alone', inputs: [x(3, 4), x(4)], outputs: 3, seeded: [1, 2] },
  ],
  LeakyRelu: [...unary, { about: 'alpha', inputs: [x(3, 5)], attributes: { alpha: 0.3 } }],
  Log: onPositive,
  LogSoftmax: alongAxis,
  MatMul: [
    { about: 'matrices', inputs: [x(3, 4), x(4, 2)] },
    { about: 'batches', inputs: [x(2, 3, 4), x(2, 4, 2)] },
    { about: 'one on the right', inputs: [x(2, 3, 4), x(4, 2)] },
    { about: 'one on the left', inputs: [x(3, 4), x(2, 4, 2)] },
    { about: 'stretched batches', inputs: [x(2, 1, 3, 4), x(3, 4, 2)] },
    { about: 'row', inputs: [x(4), x(2, 4, 3)] },
    { about: 'column', inputs: [x(2, 3, 4), x(4)] },
    { about: 'inner product', inputs: [x(4), x(4)] },
  ],
  Max: variadic,
  MaxPool: [
    pool('tiles', [2, 2, 4, 6], [2, 2], { strides: [2, 2] }, 2),
    pool('indices not kept', [1, 2, 4, 4], [2, 2], { strides: [2, 2] }),
    pool('overlap', [1, 2, 6, 5], [3, 3], strided, 2),
    pool('rounded up', [1, 1, 6, 6], [3, 3], { strides: [2, 2], ceil_mode: 1 }, 2),
    pool('dilated', [1, 1, 6, 6], [2, 2], { dilations: [2, 2] }, 2),
    pool('1d', [2, 3, 7], [3], { strides: [2] }, 2),
    pool('3d', [1, 2, 4, 3, 4], [2, 2, 3], { strides: [2, 1, 2], pads: [0, 1, 1, 0, 0, 1] }, 2),
    pool('indices by column', [1, 2, 4, 5], [2, 2], { storage_order: 1, strides: [2, 1] }, 2),
    pool('same upper', [1, 1, 5, 4], [2, 3], { strides: [2, 2], auto_pad: 'SAME_UPPER' }, 2),
  ],
  Min: variadic,
  Mul: binary,
  Neg: unary,
  Pad: [
    { about: 'around', inputs: [x(2, 3), ints(1, 0, 2, 1)] },
    { about: 'cropped', inputs: [x(4, 3), ints(-1, 1, 0, -1)] },
    { about: 'around, with a value', inputs: [x(2, 3), ints(1, 0, 2, 1), x()] },
    {
      about: 'listed axes',
      inputs: [x(2, 3, 2), ints(1, 0, 0, 2), undefined, ints(-1, 1)],
      opset: 18,
    },
    ...['reflect', 'edge'].map((mode) => ({
      about: mode,
      inputs: [x(3, 2, 4), ints(2, 0, 3, 1, 1, 2)],
      attributes: { mode },
    })),
    { about: 'wrap', inputs: [x(3, 4), ints(2, 3, 1, 4)], attributes: { mode: 'wrap' }, opset: 19 },
    { about: 'edge, cropped', inputs: [x(4, 3), ints(-1, 2, 1, 0)], attributes: { mode: 'edge' } },
  ],
  OneHot: [
    {
      about: 'middle axis',
      inputs: [{ dims: [2, 3], values: [0, -1, 7, 2, 1, 1] }, { dims: [], values: [4] }, x(2)],
      attributes: { axis: 1 },
    },
  ],
  Pow: [
    { about: 'same dims', inputs: [positive(3, 4), x(3, 4)] },
    { about: 'square', inputs: [x(3, 4), { dims: [], range: [2, 2], fixed: true }] },
    { about: 'stretched', inputs: [positive(3, 1), x(2, 1, 4)] },
    { about: 'integers', inputs: [x(3, 4), ints(0, 1, 2, 3)] },
    ...[0, 1, 2, 3, -1].map((value) => ({
      about: `constant ${value}`,
      inputs: [x(3, 4), { dims: [], values: [value] }],
    })),
  ],
  Reciprocal: onPositive,
  ReduceMax: reduce(false),
  ReduceMean: reduce(false),
  ReduceMin: reduce(false),
  ReduceSum: reduce(true),
  Relu: unary,
  Reshape: [
    { about: 'inferred', inputs: [x(2, 3, 4), ints(0, -1)] },
    { about: 'to a scalar', inputs: [x(1, 1), { dims: [0], values: [] }] },
  ],
  ScatterElements: scatterElementsCases,
  Sigmoid: unary,
  Sign: unary,
  Slice: [
    { about: 'middle', inputs: [x(5, 4), ints(1, 0), ints(4, -1)] },
    { about: 'one axis', inputs: [x(5, 4), ints(-3), ints(1000), ints(1)] },
    { about: 'steps', inputs: [x(7, 6), ints(1, 0), ints(7, 6), ints(0, 1), ints(2, 3)] },
    { about: 'reversed', inputs: [x(5, 6), ints(-1, 4), ints(-100, 0), ints(0, 1), ints(-1, -2)] },
  ],
  Softmax: alongAxis,
  Softplus: unary,
  Split: [
    {
      about: 'three',
      inputs: [x(2, 6), ints(1, 2, 3)],
      attributes: { axis: 1 },
      outputs: 3,
      seeded: [0, 1, 2],
    },
    {
      about: 'one unused',
      inputs: [x(4, 2), ints(2, 2)],
      attributes: { axis: 0 },
      outputs: 2,
      seeded: [1],
    },
  ],
  Sqrt: onPositive,
  Squeeze: [
    { about: 'listed', inputs: [x(2, 1, 3, 1), ints(1)] },
    { about: 'all', inputs: [x(2, 1, 3, 1)] },
  ],
  Sub: binary,
  Sum: variadic,
  Tanh: unary,
  Tile: [{ about: 'both axes', inputs: [x(2, 3), ints(3, 2)] }],
  TrainingAttention: [
    {
      about: 'more keys than queries',
      inputs: [x(2, 3, 2, 4), x(2, 5, 2, 4), x(2, 5, 2, 3)],
      attributes: { scale: 0.5 },
      outputs: 2,
    },
  ],
  TrainingBatchNorm: [
    {
      about: 'image',
      inputs: [x(3, 2, 2, 3), x(2), x(2)],
      attributes: { epsilon: 1e-3 },
      outputs: 4,
    },
    { about: 'matrix', inputs: [x(5, 3), x(3), x(3)], attributes: { epsilon: 1e-5 }, outputs: 4 },
  ],
  TrainingConv: nativeConvolutions,
  TrainingGelu: unary,
  TrainingSilu: unary,
  Transpose: [
    { about: 'permuted', inputs: [x(2, 3, 4)], attributes: { perm: [1, 2, 0] } },
    { about: 'reversed', inputs: [x(2, 3, 4)] },
  ],
  Unsqueeze: [{ about: 'two', inputs: [x(2, 3), ints(0, -1)] }],
  Where: [
    {
      about: 'same dims',
      inputs: [{ dims: [2, 2], values: [1, 0, 0, 1], dtype: 'bool' }, x(2, 2), x(2, 2)],
    },
    {
      about: 'stretched',
      inputs: [{ dims: [2, 1], values: [1, 0], dtype: 'bool' }, x(3), x()],
    },
  ],
};
