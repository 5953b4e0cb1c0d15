/**
 * Shape rules on symbolic sizes, old operator sets and contradictions. That fixed sizes are right is
 * tested against the ONNX conformance cases and ONNX Runtime.
 */
import { describe, expect, it } from 'vitest';
import { opSchemas } from '../../../src/ir/op-schema.js';
import { shapeRules } from '../../../src/ir/shape/rules.js';
import { ShapeError } from '../../../src/ir/shape/shape.js';
import { absent, apply, f, int, ints, shapeOf, someInts } from './apply.js';

type Row = [string, Parameters<typeof apply>, readonly (number | string)[] | undefined];

const rows: Row[] = [
  ['N broadcast with 1', ['Add', [f('N', 4), f(1, 4)]], ['N', 4]],
  ['N broadcast with itself', ['Mul', [f('N', 4), f('N', 1)]], ['N', 4]],
  ['N broadcast with M', ['Add', [f('N'), f('M')]], ['?']],
  ['N broadcast with 3, which decides', ['Add', [f('N'), f(3)]], [3]],
  ['? broadcast with ?', ['Add', [f('?'), f('?')]], ['?']],
  ['an unknown rank', ['Add', [{}, f(3)]], undefined],
  ['Where over three', ['Where', [{ dtype: 'bool', shape: ['N', 1] }, f(4), f()]], ['N', 4]],

  [
    'a convolution',
    ['Conv', [f('N', 3, 9, 9), f(8, 3, 3, 3)], { strides: [2, 2] }],
    ['N', 8, 4, 4],
  ],
  [
    'a convolution that keeps symbolic sizes',
    ['Conv', [f('N', 3, 'H', 'W'), f(8, 3, 3, 3)], { pads: [1, 1, 1, 1] }],
    ['N', 8, 'H', 'W'],
  ],
  ['a convolution that does not', ['Conv', [f('N', 3, 'H'), f(8, 3, 3)]], ['N', 8, '?']],
  [
    'SAME_UPPER with stride',
    ['Conv', [f(1, 3, 7, 'W'), f(8, 3, 3, 3)], { auto_pad: 'SAME_UPPER', strides: [2, 1] }],
    [1, 8, 4, 'W'],
  ],
  ['VALID', ['Conv', [f(1, 3, 7), f(8, 3, 3)], { auto_pad: 'VALID', pads: [9, 9] }], [1, 8, 5]],
  ['dilation', ['Conv', [f(1, 3, 9), f(8, 3, 3)], { dilations: [3] }], [1, 8, 3]],
  ['groups', ['Conv', [f(1, 6, 9), f(8, 3, 1)], { group: 2 }], [1, 8, 9]],
  ['a 3-D convolution', ['Conv', [f(1, 2, 5, 6, 7), f(4, 2, 1, 2, 3)]], [1, 4, 5, 5, 5]],
  ['a weight of unknown size', ['Conv', [f('N', 3, 9), {}]], ['N', '?', '?']],
  [
    'a transposed convolution',
    ['ConvTranspose', [f('N', 8, 4), f(8, 2, 3)], { strides: [2], output_padding: [1], group: 4 }],
    ['N', 8, 10],
  ],
  [
    'a transposed convolution with output_shape',
    ['ConvTranspose', [f(1, 8, 4, 4), f(8, 2, 3, 3)], { output_shape: [9, 9], strides: [2, 2] }],
    [1, 2, 9, 9],
  ],
  ['pooling', ['MaxPool', [f('N', 3, 6)], { kernel_shape: [3], strides: [2] }], ['N', 3, 2]],
  [
    'pooling, sizes rounded up',
    ['MaxPool', [f('N', 3, 6)], { kernel_shape: [3], strides: [2], ceil_mode: 1 }],
    ['N', 3, 3],
  ],
  ['global pooling', ['GlobalAveragePool', [f('N', 3, 'H', 'W')]], ['N', 3, 1, 1]],

  ['a reduction by attribute', ['ReduceSum', [f('N', 3, 4)], { axes: [-1] }], ['N', 3, 1]],
  ['a reduction by input', ['ReduceSum', [f('N', 3), ints(1)], { keepdims: 0 }], ['N']],
  ['a reduction of everything', ['ReduceMean', [f('N', 3)], { keepdims: 0 }], []],
  ['no reduction', ['ReduceSum', [f('N', 3)], { noop_with_empty_axes: 1 }], ['N', 3]],
  ['a reduction by unknown axes', ['ReduceSum', [f('N', 3, 4), someInts(1)]], ['?', '?', '?']],
  [
    'a reduction by unknown axes that go',
    ['ReduceSum', [f('N', 3, 4), someInts(2)], { keepdims: 0 }],
    ['?'],
  ],
  ['a running sum', ['CumSum', [f('N', 3), int(-1)]], ['N', 3]],
  ['a range up to N', ['Range', [int(0), int('N'), int(1)]], ['N']],
  ['a range of other steps up to N', ['Range', [int(0), int('N'), int(2)]], ['?']],
  ['a range rounded up', ['Range', [int(1), int(8), int(3)]], [3]],
  ['an empty range', ['Range', [int(1), int(8), int(-3)]], [0]],
  ['a window of N', ['HannWindow', [int('N')]], ['N']],
  ['mel weights', ['MelWeightMatrix', [int(8), int(17), int(1), f(), f()]], [9, 8]],
  ['draws', ['Multinomial', [f('N', 10)], { sample_size: 4 }], ['N', 4]],
  ['PRelu', ['PRelu', [f('N', 3, 4), f(3, 1)]], ['N', 3, 4]],
  ['CastLike', ['CastLike', [f('N', 3), f(1)]], ['N', 3]],
  ['ArgMax', ['ArgMax', [f('N', 10)], { axis: 1, keepdims: 0 }], ['N']],

  ['Reshape with 0 and -1', ['Reshape', [f('N', 3, 4), ints(0, -1)]], ['N', 12]],
  ['Reshape that infers N', ['Reshape', [f('N', 3, 4), ints(-1, 12)]], ['N', 12]],
  ['Reshape that merges N', ['Reshape', [f('N', 3, 4), ints(-1, 4)]], ['?', 4]],
  ['Reshape that splits', ['Reshape', [f('N', 12), ints('N', 3, -1)]], ['N', 3, 4]],
  ['Reshape with one unknown size', ['Reshape', [f(2, 12), ints(3, '?')]], [3, 8]],
  ['Reshape of nothing', ['Reshape', [f(0, 4), ints(-1, 4)]], [0, 4]],
  ['Reshape with allowzero', ['Reshape', [f(0, 4), ints(3, 0)], { allowzero: 1 }], [3, 0]],
  ['Reshape to an unknown target', ['Reshape', [f('N'), someInts(3)]], ['?', '?', '?']],
  ['Flatten', ['Flatten', [f('N', 3, 4)]], ['N', 12]],
  ['Flatten at the front', ['Flatten', [f(2, 3, 4)], { axis: 0 }], [1, 24]],
  ['Flatten over two names', ['Flatten', [f('N', 'C', 4)], { axis: -1 }], ['?', 4]],
  ['Transpose', ['Transpose', [f('N', 3, 'H')], { perm: [0, 2, 1] }], ['N', 'H', 3]],
  ['Transpose without perm', ['Transpose', [f('N', 3, 'H')]], ['H', 3, 'N']],
  ['Squeeze by attribute', ['Squeeze', [f('N', 1, 3)], { axes: [1] }, { opset: 11 }], ['N', 3]],
  ['Squeeze by input', ['Squeeze', [f('N', 1, 3), ints(-2)]], ['N', 3]],
  ['Squeeze of all', ['Squeeze', [f(2, 1, 3, 1)]], [2, 3]],
  ['Squeeze of all among names', ['Squeeze', [f('N', 1)]], undefined],
  ['Unsqueeze by attribute', ['Unsqueeze', [f('N')], { axes: [0, -1] }], [1, 'N', 1]],
  ['Unsqueeze by input', ['Unsqueeze', [f('N'), ints(1)]], ['N', 1]],
  ['Concat', ['Concat', [f('N', 3), f('N', 4)], { axis: -1 }], ['N', 7]],
  ['Concat of a name', ['Concat', [f('N', 3), f(2, 3)], { axis: 0 }], ['?', 3]],
  ['Concat, the fixed size known', ['Concat', [f('N', 3), f(2, 4)], { axis: 1 }], [2, 7]],
  ['Split in equal parts', ['Split', [f('N', 7)], { axis: 1 }, { outputs: 2 }], ['N', 4]],
  ['Split by attribute', ['Split', [f(7)], { split: [2, 5] }, { outputs: 2, opset: 11 }], [2]],
  ['Split by input', ['Split', [f(7), ints(3, 4)], {}, { outputs: 2 }], [3]],
  ['Expand', ['Expand', [f('N', 1), ints(1, 4)]], ['N', 4]],
  ['Tile', ['Tile', [f('N', 3), ints(1, 2)]], ['N', 6]],
  ['Slice by attribute', ['Slice', [f('N', 9)], { axes: [1], starts: [1], ends: [-1] }], ['N', 7]],
  [
    'Slice by input, backward',
    ['Slice', [f('N', 9), ints(-1), ints(-(2 ** 31)), ints(1), ints(-2)]],
    ['N', 5],
  ],
  [
    'Slice of a whole symbolic axis',
    ['Slice', [f('N', 9), ints(0), ints(2 ** 63), ints(0)]],
    ['N', 9],
  ],
  ['Slice of part of one', ['Slice', [f('N', 9), ints(1), ints(2 ** 63), ints(0)]], ['?', 9]],
  ['Slice by unknown numbers', ['Slice', [f(4, 9), someInts(1), someInts(1), ints(1)]], [4, '?']],
  ['Pad by attribute', ['Pad', [f('N', 4)], { pads: [0, 1, 0, 2] }, { opset: 2 }], ['N', 7]],
  ['Pad by input', ['Pad', [f('N', 4), ints(0, -1, 0, 2)]], ['N', 5]],
  ['Pad of one axis', ['Pad', [f('N', 4), ints(1, 2), absent, ints(1)]], ['N', 7]],
  ['Gather', ['Gather', [f(100, 16), { dtype: 'int64', shape: ['N', 5] }]], ['N', 5, 16]],
  ['ConstantOfShape', ['ConstantOfShape', [ints('N', 3)]], ['N', 3]],
  ['OneHot', ['OneHot', [{ dtype: 'int64', shape: ['N'] }, int(10), f(2)]], ['N', 10]],

  ['MatMul', ['MatMul', [f('N', 1, 3, 4), f(5, 4, 2)]], ['N', 5, 3, 2]],
  ['MatMul with vectors', ['MatMul', [f(4), f('N', 4, 2)]], ['N', 2]],
  ['Gemm', ['Gemm', [f('N', 4), f(10, 4), f(10)], { transB: 1 }], ['N', 10]],
];

describe('shape rules', () => {
  it.each(rows)('%s', (_, call, expected) => {
    expect(shapeOf(...call)).toEqual(expected);
  });

  it('exist for every operator of the schema, and for no other', () => {
    expect(Object.keys(shapeRules).sort()).toEqual(Object.keys(opSchemas).sort());
  });

  it('give element types', () => {
    const dtypes = (...call: Parameters<typeof apply>) => apply(...call).types.map((t) => t?.dtype);
    expect(dtypes('Less', [f(2), f(2)])).toEqual(['bool']);
    expect(dtypes('ArgMax', [f(2)])).toEqual(['int64']);
    expect(dtypes('Cast', [f(2)], { to: 10 })).toEqual(['float16']);
    expect(dtypes('MaxPool', [f(1, 1, 3)], { kernel_shape: [2] })).toEqual(['float32', 'int64']);
    expect(dtypes('Dropout', [f(2)], {}, { opset: 13 })).toEqual(['float32', 'bool']);
    expect(dtypes('Dropout', [f(2)], {}, { opset: 7 })).toEqual(['float32', 'float32']);
    expect(dtypes('Where', [{ dtype: 'bool' }, int(1), int(2)])).toEqual(['int64']);
    expect(dtypes('Pow', [f(2), int(2)])).toEqual(['float32']);
  });

  it('give the statistics of BatchNormalization in training', () => {
    const inputs = [f('N', 8, 'H'), f(8), f(8), f(8), f(8)];
    const { types } = apply('BatchNormalization', inputs, { training_mode: 1 }, { outputs: 3 });
    expect(types.map((type) => type?.shape)).toEqual([['N', 8, 'H'], [8], [8]]);
  });

  it('give the statistics of LayerNormalization', () => {
    const { types } = apply('LayerNormalization', [f('N', 'T', 16), f(16)], {}, { outputs: 3 });
    expect(types.map((type) => type?.shape)).toEqual([
      ['N', 'T', 16],
      ['N', 'T', 1],
      ['N', 'T', 1],
    ]);
  });
});

describe('contents', () => {
  const contents = (...call: Parameters<typeof apply>) => apply(...call).contents;
  it.each<[string, Parameters<typeof apply>, readonly (number | string)[] | undefined]>([
    ['of Shape', ['Shape', [f('N', 3, 'H')]], ['N', 3, 'H']],
    ['of part of Shape', ['Shape', [f('N', 3, 'H')], { start: 1, end: -1 }], [3]],
    ['through Gather', ['Gather', [ints('N', 3), int(0)]], ['N']],
    ['through Gather from the end', ['Gather', [ints('N', 3), ints(-1)]], [3]],
    ['through Unsqueeze', ['Unsqueeze', [int('N'), ints(0)]], ['N']],
    ['through Concat', ['Concat', [ints('N'), ints(-1)], { axis: 0 }], ['N', -1]],
    ['through Slice', ['Slice', [ints('N', 3, 4), ints(1), ints(3), ints(0)]], [3, 4]],
    ['through Cast', ['Cast', [ints('N')], { to: 6 }], ['N']],
    ['not through Cast to float', ['Cast', [ints('N')], { to: 1 }], undefined],
    ['through Mul', ['Mul', [ints('N', 3), int(2)]], ['?', 6]],
    ['through Mul by 1', ['Mul', [ints('N'), int(1)]], ['N']],
    ['through Div toward zero', ['Div', [ints(7, -7), int(2)]], [3, -3]],
    ['through Sub of itself', ['Sub', [ints('N'), ints('N')]], [0]],
    ['through Equal', ['Equal', [ints('N', -1), ints(-1, -1)]], [0, 1]],
    ['through ReduceProd', ['ReduceProd', [ints(2, 3, 4)], { keepdims: 0 }], [24]],
    [
      'not where nothing is reduced',
      ['ReduceSum', [ints(2, 3)], { noop_with_empty_axes: 1 }],
      undefined,
    ],
    ['through ReduceMax', ['ReduceMax', [ints(2, 'N'), ints(0)]], ['?']],
    ['of Size', ['Size', [f(2, 3)]], [6]],
    ['of an unknown Size', ['Size', [f('N', 3)]], ['?']],
    ['of Range', ['Range', [int(2), int(9), int(3)]], [2, 5, 8]],
    ['through Mod', ['Mod', [ints(7, -7), ints(3, 3)]], [1, 2]],
    ['through Mod as in C', ['Mod', [ints(7, -7), ints(3, 3)], { fmod: 1 }], [1, -1]],
    [
      'through Where',
      ['Where', [{ dtype: 'bool', shape: [2], contents: [0, 1] }, ints(1, 1), ints('N', 4)]],
      ['N', 1],
    ],
    ['through Expand', ['Expand', [int(1), ints(2)]], [1, 1]],
    ['through Transpose', ['Transpose', [{ ...ints(1, 2, 3, 4), shape: [2, 2] }]], [1, 3, 2, 4]],
    [
      'through Slice of rank 2',
      [
        'Slice',
        [{ ...ints(1, 2, 3, 4), shape: [2, 2] }, ints(-1), ints(-(2 ** 31)), ints(0), ints(-1)],
      ],
      [3, 4, 1, 2],
    ],
    [
      'not where a broadcast crosses axes',
      ['Add', [{ ...ints(1, 2), shape: [2, 1] }, ints(1, 2)]],
      undefined,
    ],
  ])('%s', (_, call, expected) => {
    expect(contents(...call)).toEqual(expected);
  });
});

describe('contradictions', () => {
  it.each<[Parameters<typeof apply>, string]>([
    [
      ['Conv', [f('N', 8, 14, 14), f(32, 16, 3, 3)]],
      'node n (Conv): expected 16 input channels as in its weight [32,16,3,3], received 8 in [N,8,14,14]',
    ],
    [['Conv', [f(1, 6, 9), f(9, 3, 1)], { group: 2 }], 'divisible by group 2, received 9'],
    [
      ['Conv', [f(1, 3, 2), f(8, 3, 5)]],
      'expected at least 5 elements under the window, received 2',
    ],
    [['Conv', [f(1, 3, 9), f(8, 3, 3), f(4)]], 'expected a bias of [8], received [4]'],
    [['PRelu', [f('N', 3, 4), f(2, 1)]], 'expected a slope that broadcasts to [N,3,4]'],
    [['BitCast', [f(3)], { to: 7 }], 'expected a type as wide as float32, received int64'],
    [['BitwiseAnd', [f(3), f(3)]], 'expected integers, received float32'],
    [['BitShift', [ints(1), ints(1)]], 'expected direction LEFT or RIGHT, received none'],
    [['Gelu', [f(3)], { approximate: 'erf' }], 'expected approximate none or tanh, received erf'],
    [['CumSum', [f(2, 3), int(2)]], 'expected an axis from -2 to 1, received 2'],
    [['EyeLike', [f(2, 3, 4)]], 'expected a matrix, received [2,3,4]'],
    [['Range', [int(0), int(3), int(0)]], 'expected a delta other than 0'],
    [['RandomNormal', []], 'expected attribute shape, received none'],
    [['Conv', [f(1, 3, 9), f(8, 3, 3)], { kernel_shape: [5] }], 'expected kernel_shape [3]'],
    [['Conv', [f(1, 3, 9), f(8, 3, 3)], { strides: [1, 1] }], 'expected 1 strides, received 2'],
    [['ConvTranspose', [f(1, 3, 9), f(8, 3, 3)]], 'expected 8 input channels'],
    [['MaxPool', [f(1, 3, 9)]], 'expected attribute kernel_shape, received none'],
    [['Add', [f(3), f(4)]], 'expected shapes that broadcast, received [3] and [4]'],
    [['Add', [f(3), ints(1, 2, 3)]], 'one element type, received float32 and int64'],
    [['And', [f(3), f(3)]], 'expected bool, received float32'],
    [['MatMul', [f('N', 3), f(4, 5)]], 'inner sizes that agree, received [N,3] and [4,5]'],
    [['Gemm', [f('N', 3), f(10, 4)], { transB: 1 }], 'expected 4 features as in its weight [10,4]'],
    [['Reshape', [f(2, 3), ints(4, 2)]], 'expected 6 elements as in [2,3], received [4,2]'],
    [['Reshape', [f(2, 3), ints(4, -1)]], 'expected sizes that divide [2,3]'],
    [['Reshape', [f(2, 3), ints(-1, -1)]], 'expected at most one -1'],
    [['Concat', [f(2, 3), f(3, 3)], { axis: 1 }], 'expected shapes that agree except at axis 1'],
    [['Concat', [f(2)]], 'expected attribute axis, received none'],
    [['Transpose', [f(2, 3)], { perm: [0, 0] }], 'expected perm of the axes of [2,3]'],
    [['Squeeze', [f(2, 3), ints(0)]], 'expected size 1 at axis 0, received 2'],
    [['Softmax', [f(2, 3)], { axis: 2 }], 'expected an axis from -2 to 1, received 2'],
    [['Split', [f(7), ints(3, 3)], {}, { outputs: 2 }], 'expected 2 sizes that add up to 7'],
    [['BatchNormalization', [f(1, 8, 4), f(4), f(4), f(4), f(4)]], 'expected scale of [8]'],
    [['Gather', [ints(1, 2), int(2)]], 'expected indices into 2 elements, received 2'],
    [['Cast', [f(1)], { to: 99 }], 'expected a known element type'],
  ])('%j', (call, message) => {
    expect(() => apply(...call)).toThrow(ShapeError);
    expect(() => apply(...call)).toThrow(message);
  });
});
