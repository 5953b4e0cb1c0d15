/** Gradient cases: element by element: trigonometry, rounding, bits, further activations. */
import { type GradientCase, type GradientCases, positive, wide, x } from './case.js';

const within = (low: number, high: number): readonly GradientCase[] => [
  { about: `${low} to ${high}`, inputs: [{ dims: [3, 5], range: [low, high] }] },
];
const everywhere: readonly GradientCase[] = [{ about: 'wide', inputs: [wide(3, 7)] }];

export const mathCases: GradientCases = {
  Acos: within(-0.95, 0.95),
  Acosh: within(1.05, 4),
  Asin: within(-0.95, 0.95),
  Asinh: everywhere,
  Atan: everywhere,
  Atanh: within(-0.95, 0.95),
  CastLike: [
    {
      about: 'to float32',
      inputs: [x(2, 3), { dims: [1], range: [1, 1], fixed: true }],
    },
  ],
  Ceil: everywhere,
  Celu: [...everywhere, { about: 'alpha', inputs: [wide(3, 5)], attributes: { alpha: 2.5 } }],
  Cos: everywhere,
  Cosh: everywhere,
  Floor: everywhere,
  Gelu: [
    { about: 'exact', inputs: [wide(3, 7)], opset: 20 },
    { about: 'tanh', inputs: [wide(3, 7)], attributes: { approximate: 'tanh' }, opset: 20 },
  ],
  Mean: [
    { about: 'one', inputs: [x(3, 4)] },
    { about: 'three, stretched', inputs: [x(3, 4), x(4), x(3, 1)] },
  ],
  Mish: [{ about: 'wide', inputs: [wide(3, 7)], opset: 18 }],
  Mod: [
    { about: 'as in C', inputs: [wide(3, 5), positive(3, 5)], attributes: { fmod: 1 } },
    { about: 'stretched', inputs: [wide(3, 1), positive(2, 1, 4)], attributes: { fmod: 1 } },
  ],
  PRelu: [
    { about: 'a slope per channel', inputs: [x(2, 3, 4), x(3, 1)] },
    { about: 'one slope', inputs: [x(3, 4), x(1)] },
    { about: 'a slope per element', inputs: [x(3, 4), x(3, 4)] },
  ],
  Round: everywhere,
  Selu: [
    ...everywhere,
    { about: 'attributes', inputs: [wide(3, 5)], attributes: { alpha: 2, gamma: 3 } },
  ],
  Shrink: [
    ...everywhere,
    { about: 'soft', inputs: [x(3, 6)], attributes: { lambd: 1.5, bias: 1.5 } },
  ],
  Sin: everywhere,
  Sinh: everywhere,
  Softsign: everywhere,
  Swish: [
    { about: 'plain', inputs: [wide(3, 7)], opset: 24 },
    { about: 'alpha', inputs: [wide(3, 5)], attributes: { alpha: 1.7 }, opset: 24 },
  ],
  Tan: within(-1.3, 1.3),
  ThresholdedRelu: [
    ...everywhere,
    { about: 'alpha', inputs: [x(3, 6)], attributes: { alpha: -0.4 } },
  ],
};
