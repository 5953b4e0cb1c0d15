/** The operators of `kernels/cpu`: their attributes say all that their inputs do not. */
import { intOf, intsOf } from '../attributes.js';
import type { Dim } from '../graph.js';
import { fail, type ShapeRule, single, typeFrom } from './shape.js';

/** One output like the second input. */
export const likeSecond: ShapeRule = ({ inputs: [dy, x] }) =>
  single(x?.dtype ?? dy?.dtype, x?.shape);

/** dX like X; dScale and dBias like the scale. */
export const batchNormGrad: ShapeRule = ({ inputs: [, x, scale] }) => {
  const channels = typeFrom(scale?.dtype, scale?.shape);
  return { types: [typeFrom(x?.dtype, x?.shape), channels, channels] };
};

/** Y like X; three values per channel like the scale. */
export const trainingBatchNorm: ShapeRule = ({ inputs: [x, scale] }) => {
  const channels = typeFrom(scale?.dtype, scale?.shape);
  return { types: [typeFrom(x?.dtype, x?.shape), channels, channels, channels] };
};

/** [N, C/group · group, spatial…] from dY [N,O,…] and W [O,C/group,…] */
export const convInputGrad: ShapeRule = ({ node, inputs: [dy, w] }) => {
  const spatial = intsOf(node, 'spatial_shape') ?? fail(node, 'expected spatial_shape');
  const perGroup = w?.shape?.[1];
  const channels: Dim = typeof perGroup === 'number' ? perGroup * intOf(node, 'group', 1) : '?';
  return single(dy?.dtype, dy?.shape && [dy.shape[0] as Dim, channels, ...spatial]);
};

/** [O, C/group, kernel…] from dY [N,O,…] and X [N,C,…] */
export const convWeightGrad: ShapeRule = ({ node, inputs: [dy, x] }) => {
  const kernel = intsOf(node, 'kernel_shape') ?? fail(node, 'expected kernel_shape');
  const channels = x?.shape?.[1];
  const perGroup: Dim = typeof channels === 'number' ? channels / intOf(node, 'group', 1) : '?';
  return single(dy?.dtype, dy?.shape && [dy.shape[1] as Dim, perGroup, ...kernel]);
};

/** [N, C, spatial…] from dY [N,C,…] */
export const maxPoolGrad: ShapeRule = ({ node, inputs: [dy] }) => {
  const spatial = intsOf(node, 'spatial_shape') ?? fail(node, 'expected spatial_shape');
  return single(dy?.dtype, dy?.shape && [...dy.shape.slice(0, 2), ...spatial]);
};
