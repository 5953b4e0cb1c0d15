/** Shape rules: further normalisations. Each gives y like x; what differs is what it asks of x. */
import { intOf, intsOf } from '../attributes.js';
import type { Dim, Node, Shape } from '../graph.js';
import type { normalizeSchemas } from '../schema/normalize.js';
import { formatShape, isBroadcastableTo, isFixed, unifyDims } from './dims.js';
import { commonType, fail, frontAxis, type ShapeRule, single } from './shape.js';

function requireRank(node: Node, shape: Shape | undefined, least: number, form: string): void {
  if (shape !== undefined && shape.length < least) {
    fail(node, `expected input ${form}, received ${formatShape(shape)}`);
  }
}

/** InstanceNormalization: x [N,C,…], scale and bias [C]. */
const instanceNormalization: ShapeRule = (context) => {
  const { node, inputs } = context;
  const shape = inputs[0]?.shape;
  requireRank(node, shape, 3, '[N,C,D1,…]');
  let channels: Dim = shape?.[1] ?? '?';
  for (const affine of [inputs[1]?.shape, inputs[2]?.shape]) {
    if (affine === undefined) continue;
    const unified = affine.length === 1 ? unifyDims(channels, affine[0] as Dim) : undefined;
    if (unified === undefined) {
      fail(
        node,
        `expected scale and bias of [${channels}] for input ${formatShape(shape)}, received ${formatShape(affine)}`,
      );
    }
    channels = unified;
  }
  return single(
    commonType(context, [0, 1, 2]),
    shape && [shape[0] as Dim, channels, ...shape.slice(2)],
  );
};

/** GroupNormalization: x [N,C,…], scale and bias per channel, before opset 21 per group. */
const groupNormalization: ShapeRule = (context) => {
  const { node, opset, inputs } = context;
  const shape = inputs[0]?.shape;
  requireRank(node, shape, 3, '[N,C,D1,…]');
  const groups = intOf(node, 'num_groups', 0);
  if (groups < 1) fail(node, `expected num_groups of 1 or more, received ${groups}`);
  const channels = shape?.[1];
  if (isFixed(channels) && channels % groups !== 0) {
    fail(node, `expected channels in ${groups} equal groups, received ${formatShape(shape)}`);
  }
  const length = opset >= 21 ? (channels ?? '?') : groups;
  for (const affine of [inputs[1]?.shape, inputs[2]?.shape]) {
    if (affine === undefined) continue;
    if (affine.length !== 1 || unifyDims(length, affine[0] as Dim) === undefined) {
      fail(node, `expected scale and bias of [${length}], received ${formatShape(affine)}`);
    }
  }
  return single(commonType(context, [0, 1, 2]), shape);
};

/** RMSNormalization: scale broadcasts to the axes from `axis` on; y has the type of scale. */
const rmsNormalization: ShapeRule = ({ node, inputs: [x, scale] }) => {
  if (x?.shape !== undefined) {
    const normalized = x.shape.slice(frontAxis(node, intOf(node, 'axis', -1), x.shape.length));
    if (scale?.shape !== undefined && !isBroadcastableTo(scale.shape, normalized)) {
      fail(
        node,
        `expected a scale of ${formatShape(normalized)}, received ${formatShape(scale.shape)}`,
      );
    }
  }
  return single(scale?.dtype ?? x?.dtype, x?.shape);
};

/** LpNormalization along one axis. */
const lpNormalization: ShapeRule = ({ node, inputs: [x] }) => {
  const p = intOf(node, 'p', 2);
  if (p !== 1 && p !== 2) fail(node, `expected p of 1 or 2, received ${p}`);
  if (x?.shape !== undefined) frontAxis(node, intOf(node, 'axis', -1), x.shape.length);
  return single(x?.dtype, x?.shape);
};

/** LRN over neighbouring channels of x [N,C,…]. */
const lrn: ShapeRule = ({ node, inputs: [x] }) => {
  requireRank(node, x?.shape, 2, '[N,C,…]');
  const size = intOf(node, 'size', 0);
  if (size < 1) fail(node, `expected a size of 1 or more, received ${size}`);
  return single(x?.dtype, x?.shape);
};

/** MeanVarianceNormalization over the listed axes. */
const meanVarianceNormalization: ShapeRule = ({ node, inputs: [x] }) => {
  const { shape } = x ?? {};
  if (shape !== undefined) {
    for (const axis of intsOf(node, 'axes') ?? [0, 2, 3]) frontAxis(node, axis, shape.length);
  }
  return single(x?.dtype, shape);
};

export const normalizeShapes: Readonly<Record<keyof typeof normalizeSchemas, ShapeRule>> = {
  GroupNormalization: groupNormalization,
  InstanceNormalization: instanceNormalization,
  LRN: lrn,
  LpNormalization: lpNormalization,
  MeanVarianceNormalization: meanVarianceNormalization,
  RMSNormalization: rmsNormalization,
};
