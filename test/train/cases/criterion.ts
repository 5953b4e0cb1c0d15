/** Losses and updates that are operators. */
import { type GradientCase, type GradientCases, ints, positive, x } from './case.js';

const labels = (dims: readonly number[], ...values: number[]) => ({ dims, values });

const losses = (scores: typeof x, outputs = 1): readonly GradientCase[] => [
  { about: 'mean', inputs: [scores(3, 4), ints(2, 0, 3)] },
  {
    about: 'weighted mean, some ignored',
    inputs: [scores(4, 3), ints(2, 0, 1, 0), positive(3)],
    attributes: { ignore_index: 0 },
  },
  {
    about: 'sum, ignored outside the classes',
    inputs: [scores(2, 3, 2), labels([2, 2], 2, -100, 1, 0)],
    attributes: { ignore_index: -100, reduction: 'sum' },
  },
  {
    about: 'none, weights, two places',
    inputs: [scores(2, 3, 2, 1), labels([2, 2, 1], 2, 1, 0, 2), positive(3)],
    attributes: { reduction: 'none' },
    outputs,
    seeded: outputs === 2 ? [0, 1] : [0],
  },
];

export const criterionCases: GradientCases = {
  NegativeLogLikelihoodLoss: losses(x),
  SoftmaxCrossEntropyLoss: losses(x, 2),
};
