/** Batch and layer normalisation. */
import { intOf } from '../attributes.js';
import type { Dim, Shape } from '../graph.js';
import { formatShape, isBroadcastableTo, unifyDims } from './dims.js';
import { fail, frontAxis, type ShapeRule, typeFrom } from './shape.js';

/**
 * BatchNormalization: y like x. Further outputs are statistics of [C]: the running ones in training
 * mode (opset 14 on), running and saved ones before.
 */
export const batchNormalization: ShapeRule = ({ node, inputs }) => {
  const [x, ...statistics] = inputs;
  const shape = x?.shape;
  if (shape !== undefined && shape.length < 2) {
    fail(node, `expected input [N,C,…], received ${formatShape(shape)}`);
  }
  let channels: Dim = shape?.[1] ?? '?';
  statistics.forEach((statistic, i) => {
    if (statistic?.shape === undefined) return;
    const length = statistic.shape[0];
    const unified = length === undefined ? undefined : unifyDims(channels, length);
    if (statistic.shape.length !== 1 || unified === undefined) {
      const role = ['scale', 'bias', 'mean', 'variance'][i];
      fail(
        node,
        `expected ${role} of [${channels}] for input ${formatShape(shape)}, received ${formatShape(statistic.shape)}`,
      );
    }
    channels = unified;
  });
  return {
    types: node.outputs.map((_, i) => {
      if (i > 0) return typeFrom(inputs[i > 2 ? i : i + 2]?.dtype ?? x?.dtype, [channels]);
      return typeFrom(x?.dtype, shape && [shape[0] as Dim, channels, ...shape.slice(2)]);
    }),
  };
};

/** LayerNormalization: y like x; mean and inverse deviation with size 1 from `axis` on. */
export const layerNormalization: ShapeRule = ({ node, inputs: [x, scale, bias] }) => {
  const dtype = intOf(node, 'stash_type', 1) === 16 ? 'bfloat16' : 'float32';
  const shape = x?.shape;
  let statistics: Shape | undefined;
  if (shape !== undefined) {
    const axis = frontAxis(node, intOf(node, 'axis', -1), shape.length);
    for (const affine of [scale?.shape, bias?.shape]) {
      if (affine !== undefined && !isBroadcastableTo(affine, shape.slice(axis))) {
        fail(
          node,
          `expected scale and bias of ${formatShape(shape.slice(axis))}, received ${formatShape(affine)}`,
        );
      }
    }
    statistics = shape.map((dim, i) => (i < axis ? dim : 1));
  }
  return {
    types: [typeFrom(x?.dtype, shape), typeFrom(dtype, statistics), typeFrom(dtype, statistics)],
  };
};

/** Softmax, LogSoftmax: y like x, with an axis that exists. */
export const softmax: ShapeRule = ({ node, opset, inputs: [x] }) => {
  if (x?.shape !== undefined) {
    const axis = intOf(node, 'axis', opset >= 13 ? -1 : 1);
    // Before opset 13 the axis splits the shape in two and may stand behind the last one.
    const inRange = opset < 13 && axis === x.shape.length;
    if (!inRange) frontAxis(node, axis, x.shape.length);
  }
  return { types: [typeFrom(x?.dtype, x?.shape)] };
};
