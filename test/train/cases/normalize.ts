/** Further normalisations. */
import { type GradientCases, x } from './case.js';

const rms = (about: string, dims: readonly number[], axis?: number, epsilon?: number) => ({
  about,
  opset: 23,
  inputs: [x(...dims), x(...dims.slice(axis ?? -1))],
  attributes: {
    ...(axis === undefined ? {} : { axis }),
    ...(epsilon === undefined ? {} : { epsilon }),
  },
});

export const normalizeCases: GradientCases = {
  GroupNormalization: [
    {
      about: 'per channel',
      opset: 21,
      inputs: [x(2, 4, 2, 3), x(4), x(4)],
      attributes: { num_groups: 2 },
    },
    {
      about: 'per group',
      opset: 18,
      inputs: [x(2, 6, 3), x(3), x(3)],
      attributes: { num_groups: 3, epsilon: 1e-2 },
    },
    {
      about: 'one group',
      opset: 21,
      inputs: [x(2, 3, 2, 1, 2), x(3), x(3)],
      attributes: { num_groups: 1 },
    },
  ],
  InstanceNormalization: [
    { about: 'image', inputs: [x(2, 3, 3, 2), x(3), x(3)] },
    { about: '1d', inputs: [x(2, 2, 5), x(2), x(2)], attributes: { epsilon: 1e-2 } },
    { about: '3d', inputs: [x(1, 2, 2, 3, 2), x(2), x(2)] },
  ],
  LRN: [
    { about: 'odd', inputs: [x(2, 5, 2, 2)], attributes: { size: 3, alpha: 0.25 } },
    {
      about: 'even',
      inputs: [x(1, 6, 3)],
      attributes: { size: 4, alpha: 0.5, beta: 0.625, bias: 2 },
    },
    {
      about: 'wider than the channels',
      inputs: [x(2, 3, 2)],
      attributes: { size: 7, alpha: 0.125 },
    },
  ],
  LpNormalization: [
    { about: 'Euclidean', inputs: [x(2, 3, 4)] },
    { about: 'absolute', inputs: [x(2, 3, 4)], attributes: { p: 1, axis: 1 } },
  ],
  MeanVarianceNormalization: [
    { about: 'per channel', inputs: [x(2, 3, 2, 2)] },
    { about: 'per row', inputs: [x(3, 5)], attributes: { axes: [-1] } },
  ],
  RMSNormalization: [
    rms('last axis', [3, 5]),
    rms('two axes', [2, 3, 4], 1, 1e-2),
    { about: 'one scale', opset: 23, inputs: [x(2, 3, 4), x(1)], attributes: { axis: -2 } },
  ],
};
