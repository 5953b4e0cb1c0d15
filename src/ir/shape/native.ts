/** The operators of `kernels/cpu`: their attributes say all that their inputs do not. */
import { intOf, intsOf } from '../attributes.js';
import type { Dim } from '../graph.js';
import type { nativeOpSchemas } from '../native-op-schema.js';
import { conv } from './convolution.js';
import { fail, type ShapeRule, single, typeFrom } from './shape.js';

/** One output like the first input. */
const likeFirst: ShapeRule = ({ inputs: [x] }) => single(x?.dtype, x?.shape);

/** One output like the second input. */
const likeSecond: ShapeRule = ({ inputs: [dy, x] }) => single(x?.dtype ?? dy?.dtype, x?.shape);

/** dX like X; dScale and dBias like the scale. */
const normGrad: ShapeRule = ({ inputs: [, x, scale] }) => {
  const channels = typeFrom(scale?.dtype, scale?.shape);
  return { types: [typeFrom(x?.dtype, x?.shape), channels, channels] };
};

/** Y like X; three values per channel like the scale. */
const trainingBatchNorm: ShapeRule = ({ inputs: [x, scale] }) => {
  const channels = typeFrom(scale?.dtype, scale?.shape);
  return { types: [typeFrom(x?.dtype, x?.shape), channels, channels, channels] };
};

/** [N, C/group · group, spatial…] from dY [N,O,…] and W [O,C/group,…] */
const convInputGrad: ShapeRule = ({ node, inputs: [dy, w] }) => {
  const spatial = intsOf(node, 'spatial_shape') ?? fail(node, 'expected spatial_shape');
  const perGroup = w?.shape?.[1];
  const channels: Dim = typeof perGroup === 'number' ? perGroup * intOf(node, 'group', 1) : '?';
  return single(dy?.dtype, dy?.shape && [dy.shape[0] as Dim, channels, ...spatial]);
};

/** [O, C/group, kernel…] from dY [N,O,…] and X [N,C,…] */
const convWeightGrad: ShapeRule = ({ node, inputs: [dy, x] }) => {
  const kernel = intsOf(node, 'kernel_shape') ?? fail(node, 'expected kernel_shape');
  const channels = x?.shape?.[1];
  const perGroup: Dim = typeof channels === 'number' ? channels / intOf(node, 'group', 1) : '?';
  return single(dy?.dtype, dy?.shape && [dy.shape[1] as Dim, perGroup, ...kernel]);
};

/** [N, C, spatial…] from dY [N,C,…] */
const maxPoolGrad: ShapeRule = ({ node, inputs: [dy] }) => {
  const spatial = intsOf(node, 'spatial_shape') ?? fail(node, 'expected spatial_shape');
  return single(dy?.dtype, dy?.shape && [...dy.shape.slice(0, 2), ...spatial]);
};

/** Y [N,L,H,D] and one value for each row [N,H,L] from Q [N,L,H,C], K and V [N,S,H,D] */
const trainingAttention: ShapeRule = ({ node, inputs: [q, k, v] }) => {
  for (const shape of [q?.shape, k?.shape, v?.shape]) {
    if (shape !== undefined && shape.length !== 4) fail(node, 'expected inputs of rank 4');
  }
  const [n = '?', length = '?', heads = '?'] = q?.shape ?? [];
  const depth = v?.shape?.[3] ?? '?';
  const known = q?.shape !== undefined;
  return {
    types: [
      typeFrom(q?.dtype, known ? [n, length, heads, depth] : undefined),
      typeFrom(q?.dtype, known ? [n, heads, length] : undefined),
    ],
  };
};

/** Gradients like the second to fourth input. */
const attentionGrad: ShapeRule = ({ inputs }) => ({
  types: inputs.slice(1, 4).map((input) => typeFrom(input?.dtype, input?.shape)),
});

/** Each output like the input in its place: the next state. */
const nextState =
  (places: readonly number[]): ShapeRule =>
  ({ inputs }) => ({
    types: places.map((i) => typeFrom(inputs[i]?.dtype, inputs[i]?.shape)),
  });

const total: ShapeRule = ({ inputs: [x] }) => single(x?.dtype, []);

/** A scalar, and the gradient of the logits. */
const crossEntropy: ShapeRule = ({ inputs: [logits] }) => ({
  types: [typeFrom(logits?.dtype, []), typeFrom(logits?.dtype, logits?.shape)],
});

export const nativeShapes: Readonly<Record<keyof typeof nativeOpSchemas, ShapeRule>> = {
  ActivationGrad: likeSecond,
  AdamwUpdate: nextState([0, 1, 2]),
  AttentionGrad: attentionGrad,
  BatchNormGrad: normGrad,
  ConvInputGrad: convInputGrad,
  ConvWeightGrad: convWeightGrad,
  GeluGrad: likeSecond,
  LayerNormGrad: normGrad,
  MaxPoolGrad: maxPoolGrad,
  SgdUpdate: nextState([0, 1]),
  SiluGrad: likeSecond,
  SumOfSquares: total,
  TensorDraws: likeFirst,
  TrainingAttention: trainingAttention,
  TrainingBatchNorm: trainingBatchNorm,
  TrainingConv: conv,
  TrainingCrossEntropy: crossEntropy,
  TrainingGelu: likeFirst,
  TrainingSilu: likeFirst,
};
