/** Further products, transforms and determinants. */
import type { AttributeValue } from '../../../src/ir/attributes.js';
import { type GradientCase, type GradientCases, x } from './case.js';

const einsum = (equation: string, ...dims: readonly (readonly number[])[]): GradientCase => ({
  about: equation,
  inputs: dims.map((size) => x(...size)),
  attributes: { equation },
});

const integer = (value: number) => ({ dims: [], values: [value] });

const dft = (
  about: string,
  opset: number,
  inputs: GradientCase['inputs'],
  attributes: Record<string, AttributeValue> = {},
): GradientCase => ({ about, opset, inputs, attributes });

export const algebraCases: GradientCases = {
  DFT: [
    dft('real', 17, [x(2, 5, 1)]),
    dft('complex, longer, axis 0', 17, [x(3, 2, 2), integer(5)], { axis: 0 }),
    dft('real, one side, shorter', 17, [x(2, 6, 1), integer(4)], { onesided: 1 }),
    dft('inverse', 20, [x(2, 4, 2)], { inverse: 1 }),
    dft('complex, axis as input', 20, [x(3, 2, 2), undefined, integer(0)]),
    dft('one side back to real', 20, [x(2, 4, 2)], { inverse: 1, onesided: 1 }),
    dft('one side back to real, odd', 20, [x(2, 3, 2), integer(5)], { inverse: 1, onesided: 1 }),
    dft('one side, odd', 20, [x(2, 5, 1), integer(7), integer(1)], { onesided: 1 }),
  ],
  Det: [
    { about: 'one', inputs: [x(2, 1, 1)] },
    { about: 'matrix', inputs: [x(3, 3)] },
    { about: 'batch', inputs: [x(2, 2, 4, 4)] },
  ],
  Einsum: [
    einsum('ij,jk->ik', [2, 3], [3, 4]),
    einsum('bhqd,bhkd->bhqk', [2, 2, 3, 2], [2, 2, 4, 2]),
    einsum('ij->ji', [2, 3]),
    einsum('i j', [2, 3]),
    einsum('ij->i', [2, 3]),
    einsum('ij->', [2, 3]),
    einsum('ii->i', [3, 3]),
    einsum('iij->j', [3, 3, 2]),
    einsum('iii,i->i', [2, 2, 2], [2]),
    einsum('i,j->ij', [2], [3]),
    einsum('i,i', [4], [4]),
    einsum('...ij,...jk->...ik', [2, 1, 2, 3], [1, 2, 3, 4]),
    einsum('...ij,jk', [2, 1, 2, 3], [3, 2]),
    einsum('b...d,b...d->b...', [2, 3, 2], [2, 3, 2]),
    einsum('ij,jk,kl->il', [2, 3], [3, 2], [2, 4]),
    einsum('ij,kj->k', [2, 3], [2, 3]),
  ],
  STFT: [
    {
      about: 'window',
      inputs: [x(2, 8, 1), integer(3), x(4)],
    },
    {
      about: 'two sides, length',
      inputs: [x(1, 7, 1), integer(2), undefined, integer(4)],
      attributes: { onesided: 0 },
    },
  ],
};
