/**
 * Shape rules of attention, normalisation, transforms and losses on symbolic sizes, old operator sets
 * and contradictions; and what attention costs.
 */
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { inferCost } from '../../../src/ir/cost.js';
import { ShapeError } from '../../../src/ir/shape/shape.js';
import { absent, apply, f, int, shapeOf } from './apply.js';

type Call = Parameters<typeof apply>;
type Row = readonly [string, Call, readonly (number | string)[] | undefined];

const heads = { q_num_heads: 4, kv_num_heads: 2 };
const labels = { dtype: 'int64', shape: ['N', 'L'] } as const;

const rows: readonly Row[] = [
  [
    'packed heads',
    ['Attention', [f('N', 'L', 8), f('N', 'S', 4), f('N', 'S', 6)], heads],
    ['N', 'L', 12],
  ],
  [
    'heads apart',
    ['Attention', [f('N', 4, 'L', 2), f('N', 2, 9, 2), f('N', 2, 9, 3)]],
    ['N', 4, 'L', 3],
  ],
  ['an unknown rank', ['Attention', [f('N', 'L', 8), {}, f('N', 'S', 6)], heads], undefined],
  [
    'linear attention',
    [
      'LinearAttention',
      [f('N', 'T', 8), f('N', 'T', 4), f('N', 'T', 6)],
      { ...heads, update_rule: 'linear' },
    ],
    ['N', 'T', 12],
  ],
  ['a causal convolution', ['CausalConvWithState', [f('N', 'C', 'L'), f(8, 1, 4)]], ['N', 8, 'L']],
  ['Einsum', ['Einsum', [f('N', 'L', 8), f(8, 3)], { equation: 'blc,cd->bld' }], ['N', 'L', 3]],
  [
    'Einsum with an ellipsis',
    ['Einsum', [f('N', 1, 2, 8), f(5, 8, 3)], { equation: '...ij,...jk' }],
    ['N', 5, 2, 3],
  ],
  ['Einsum of its trace', ['Einsum', [f('N', 'N')], { equation: 'ii->' }], []],
  ['DFT before opset 20', ['DFT', [f('N', 'L', 6, 1)], { axis: 2, onesided: 1 }], ['N', 'L', 4, 2]],
  [
    'DFT with its axis as an input',
    ['DFT', [f('N', 6, 2), int(8), int(1)], {}, { opset: 20 }],
    ['N', 8, 2],
  ],
  [
    'DFT over an axis not known',
    ['DFT', [f('N', 6, 2), absent, { dtype: 'int64', shape: [] }], {}, { opset: 20 }],
    ['?', '?', 2],
  ],
  ['STFT', ['STFT', [f('N', 128, 1), int(8), f(16)]], ['N', 15, 9, 2]],
  ['STFT of an open length', ['STFT', [f('N', 'T', 1), int(8), f(16)]], ['N', '?', 9, 2]],
  ['a determinant', ['Det', [f('N', 3, 3)]], ['N']],
  [
    'a loss per label',
    ['SoftmaxCrossEntropyLoss', [f('N', 9, 'L'), labels], { reduction: 'none' }],
    ['N', 'L'],
  ],
  ['a mean loss', ['NegativeLogLikelihoodLoss', [f('N', 9, 'L'), labels]], []],
  [
    'groups before opset 21',
    ['GroupNormalization', [f('N', 6, 'H'), f(3), f(3)], { num_groups: 3 }, { opset: 18 }],
    ['N', 6, 'H'],
  ],
];

describe('shape rules of newer operators', () => {
  it.each(rows)('%s', (_, call, expected) => {
    expect(shapeOf(...call)).toEqual(expected);
  });

  it('gives attention all its outputs', () => {
    const past = [absent, f('N', 2, 'P', 2), f('N', 2, 'P', 3)];
    const inputs = [f('N', 'L', 8), f('N', 5, 4), f('N', 5, 6), ...past];
    const { types } = apply('Attention', inputs, heads, { opset: 24, outputs: 4 });
    expect(types.slice(1).map((type) => type?.shape)).toEqual([
      ['N', 2, '?', 2],
      ['N', 2, '?', 3],
      ['N', 4, 'L', '?'],
    ]);
  });
});

const contradictions: readonly (readonly [string, Call, RegExp])[] = [
  [
    'heads that are not told',
    ['Attention', [f(1, 3, 8), f(1, 3, 8), f(1, 3, 8)]],
    /expected q_num_heads/,
  ],
  [
    'heads that do not fit',
    ['Attention', [f(1, 3, 9), f(1, 3, 4), f(1, 3, 4)], heads],
    /4 equal heads/,
  ],
  [
    'groups that do not fit',
    ['Attention', [f(1, 3, 2, 8), f(1, 2, 2, 8), f(1, 2, 2, 8)]],
    /groups of one key head/,
  ],
  [
    'half a past',
    ['Attention', [f(1, 2, 2, 8), f(1, 2, 2, 8), f(1, 2, 2, 8), absent, f(1, 2, 1, 8)]],
    /together/,
  ],
  [
    'a rule without its decay',
    ['LinearAttention', [f(1, 3, 8), f(1, 3, 4), f(1, 3, 4)], { ...heads, update_rule: 'gated' }],
    /update_rule gated expected a decay/,
  ],
  ['an odd head', ['RotaryEmbedding', [f(1, 2, 3, 5), f(1, 3, 2), f(1, 3, 2)]], /even number/],
  [
    'channels in unequal groups',
    ['GroupNormalization', [f(1, 7, 4), f(7), f(7)], { num_groups: 2 }],
    /2 equal groups/,
  ],
  ['a term for another rank', ['Einsum', [f(2, 3)], { equation: 'ijk->i' }], /term for 2 axes/],
  ['two sizes of a label', ['Einsum', [f(2, 3), f(4, 2)], { equation: 'ij,jk' }], /one size of j/],
  ['an output label from nowhere', ['Einsum', [f(2, 3)], { equation: 'ij->k' }], /received k/],
  ['no square matrix', ['Det', [f(2, 3)]], /square matrices/],
  [
    'labels of another size',
    ['SoftmaxCrossEntropyLoss', [f(4, 9), { dtype: 'int64', shape: [5] }]],
    /expected labels \[4\]/,
  ],
  [
    'a reduction unknown',
    ['NegativeLogLikelihoodLoss', [f(4, 9), labels], { reduction: 'max' }],
    /none, mean or sum/,
  ],
];

it.each(contradictions)('%s are refused', (_, call, message) => {
  expect(() => apply(...call)).toThrow(ShapeError);
  expect(() => apply(...call)).toThrow(message);
});

it('counts the products of attention: scores and shares, with the past', () => {
  const b = new GraphBuilder('attention', { opset: 24 });
  const dims = {
    q: [2, 4, 3, 8],
    k: [2, 2, 5, 8],
    v: [2, 2, 5, 6],
    pk: [2, 2, 2, 8],
    pv: [2, 2, 2, 6],
  };
  const [q = '', k = '', v = '', pk = '', pv = ''] = Object.entries(dims).map(([name, shape]) =>
    b.input(name, 'float32', shape),
  );
  b.output(b.op('Attention', [q, k, v, '', pk, pv]));
  expect(inferCost(b.build()).macs).toBe(2 * 4 * 3 * 7 * (8 + 6));
});
