/**
 * Resize and Upsample. The geometry of each axis is also what the gradient needs, so it is made here
 * once for both. Source: ONNX specification of Resize, opsets 10 to 19.
 */
import type { TensorData } from '../../util/tensor.js';
import { intsOf, stringOf } from '../attributes.js';
import type { Dim, Node, Shape } from '../graph.js';
import { formatShape, isFixed } from './dims.js';
import {
  type Contents,
  fail,
  frontAxis,
  hasInput,
  type InferContext,
  type ShapeRule,
  single,
} from './shape.js';

/** How one axis is resized. */
export interface ResizedAxis {
  /** Elements after it. */
  readonly size: Dim;
  /** Elements after it ÷ elements before; undefined where not known. */
  readonly scale: number | undefined;
  /** Part of the axis that is resized, both ends relative to its length (`tf_crop_and_resize`). */
  readonly region: readonly [number, number] | undefined;
}

const untouched = (size: Dim): ResizedAxis => ({ size, scale: 1, region: [0, 1] });

/** What decides the geometry, apart from the node. */
export interface ResizeInputs {
  readonly shape: Shape;
  readonly opset: number;
  readonly contents: readonly (Contents | undefined)[];
  readonly constants: readonly (TensorData | undefined)[];
}

/** The geometry of each axis. */
export function resizedAxes(node: Node, inputs: ResizeInputs): ResizedAxis[] {
  const { shape, opset, contents, constants } = inputs;
  const isNew = node.op === 'Resize' && opset >= 11;
  const [roiAt, scalesAt, sizesAt] = isNew ? [1, 2, 3] : [-1, 1, -1];
  const axes = (intsOf(node, 'axes') ?? shape.map((_, i) => i)).map((axis) =>
    frontAxis(node, axis, shape.length),
  );
  const attribute = node.attributes.scales;
  const scales =
    attribute?.kind === 'floats' ? attribute.value.map(Math.fround) : numbers(constants[scalesAt]);
  const sizes = hasInput(node, sizesAt) ? contents[sizesAt] : undefined;
  const region = numbers(constants[roiAt]);
  const check = (list: ArrayLike<unknown> | undefined, what: string, count = axes.length) => {
    if (list === undefined || list.length === 0 || list.length === count) return;
    fail(node, `expected ${count} ${what} for ${formatShape(shape)}, received ${list.length}`);
  };
  check(scales, 'scales');
  check(sizes, 'sizes');
  check(region, 'numbers in roi', 2 * axes.length);
  const bySize = hasInput(node, sizesAt) && !scales?.length;
  const targets = bySize ? sizes && keepRatio(node, shape, axes, sizes) : undefined;
  const result = shape.map(untouched);
  axes.forEach((axis, i) => {
    const from = shape[axis] as Dim;
    const target = targets?.[i] ?? byScale(from, bySize ? undefined : scales?.[i]);
    const ends = region?.length
      ? ([region[i], region[i + axes.length]] as [number, number])
      : undefined;
    result[axis] = { ...target, region: hasInput(node, roiAt) ? ends : [0, 1] };
  });
  return result;
}

const numbers = (data: TensorData | undefined) => data && Array.from(data, Number);

type Target = Pick<ResizedAxis, 'size' | 'scale'>;

/** The size rounded down, in float32 as runtimes do. */
function byScale(from: Dim, scale: number | undefined): Target {
  if (scale === undefined) return { size: '?', scale };
  if (!isFixed(from)) return { size: scale === 1 ? from : '?', scale };
  return { size: Math.floor(Math.fround(from * scale)), scale };
}

/** Sizes as asked for or, by `keep_aspect_ratio_policy`, one scale for all axes that fits them. */
function keepRatio(node: Node, shape: Shape, axes: readonly number[], sizes: Contents): Target[] {
  const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch');
  const scales = axes.map((axis, i) => {
    const [from, to] = [shape[axis], sizes[i]];
    return isFixed(from) && isFixed(to) ? to / from : undefined;
  });
  if (policy === 'stretch') return sizes.map((size, i) => ({ size, scale: scales[i] }));
  if (policy !== 'not_larger' && policy !== 'not_smaller') {
    fail(node, `expected stretch, not_larger or not_smaller, received ${policy}`);
  }
  if (scales.includes(undefined)) return sizes.map(() => ({ size: '?', scale: undefined }));
  const known = scales as number[];
  const scale = policy === 'not_larger' ? Math.min(...known) : Math.max(...known);
  return axes.map((axis) => ({ size: Math.floor(scale * Number(shape[axis]) + 0.5), scale }));
}

/** Resize, Upsample: each axis of its own size. */
export const resize: ShapeRule = (context: InferContext) => {
  const { node, inputs } = context;
  const [x] = inputs;
  if (x?.shape === undefined) return single(x?.dtype, undefined);
  const axes = resizedAxes(node, { ...context, shape: x.shape });
  return single(
    x.dtype,
    axes.map(({ size }) => size),
  );
};
