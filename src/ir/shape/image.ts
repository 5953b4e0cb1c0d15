/** Shape rules: images and feature maps: resizing, sampling, regions of interest, further pooling. */
import { intOf, intsOf, stringOf } from '../attributes.js';
import type { Dim, Shape } from '../graph.js';
import type { imageSchemas } from '../schema/image.js';
import { globalPool, pool } from './convolution.js';
import { formatShape, isFixed, multiplyDims } from './dims.js';
import { col2im, deformConv, maxUnpool } from './fold.js';
import { resize } from './resize.js';
import {
  fail,
  frontAxis,
  type InferContext,
  type Inferred,
  type ShapeRule,
  single,
  unknownDims,
} from './shape.js';

/** [N,C,H,W], or nothing where it is not known; other ranks fail. */
function imageOf({ node, inputs: [x] }: InferContext): Shape | undefined {
  if (x?.shape !== undefined && x.shape.length !== 4) {
    fail(node, `expected an image [N,C,H,W], received ${formatShape(x.shape)}`);
  }
  return x?.shape;
}

/** The size divided; a name stays a name only where nothing is divided. */
function divided(context: InferContext, size: Dim, by: number, what: string): Dim {
  if (!isFixed(size)) return by === 1 ? size : '?';
  if (size % by === 0) return size / by;
  fail(context.node, `expected ${what} divisible by ${by}, received ${size}`);
}

/** DepthToSpace: [N,C,H,W] → [N,C/b²,H·b,W·b]. */
const depthToSpace: ShapeRule = (context) => {
  const block = intOf(context.node, 'blocksize', 1);
  const shape = imageOf(context);
  if (shape === undefined) return single(context.inputs[0]?.dtype, undefined);
  const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim];
  const channels = divided(context, c, block * block, 'channels');
  const [height, width] = [multiplyDims(h, block), multiplyDims(w, block)];
  return single(context.inputs[0]?.dtype, [n, channels, height, width]);
};

/** SpaceToDepth: [N,C,H,W] → [N,C·b²,H/b,W/b]. */
const spaceToDepth: ShapeRule = (context) => {
  const block = intOf(context.node, 'blocksize', 1);
  const shape = imageOf(context);
  if (shape === undefined) return single(context.inputs[0]?.dtype, undefined);
  const [n, c, h, w] = shape as [Dim, Dim, Dim, Dim];
  const height = divided(context, h, block, 'height');
  const width = divided(context, w, block, 'width');
  return single(context.inputs[0]?.dtype, [n, multiplyDims(c, block * block), height, width]);
};

/** CenterCropPad: the listed axes get the sizes of input 1. */
const centerCropPad: ShapeRule = ({ node, inputs: [x, target], contents: [, sizes] }) => {
  if (x?.shape === undefined) return single(x?.dtype, undefined);
  const { shape } = x;
  const axes = (intsOf(node, 'axes') ?? shape.map((_, i) => i)).map((axis) =>
    frontAxis(node, axis, shape.length),
  );
  const count = sizes?.length ?? target?.shape?.[0];
  if (isFixed(count) && count !== axes.length) {
    fail(node, `expected ${axes.length} sizes for ${formatShape(shape)}, received ${count}`);
  }
  const result = [...shape];
  axes.forEach((axis, i) => {
    result[axis] = sizes?.[i] ?? '?';
  });
  return single(x.dtype, result);
};

/** GridSample: x [N,C,…], grid [N,…out,rank] → [N,C,…out]. */
const gridSample: ShapeRule = ({ node, inputs: [x, grid] }) => {
  const [a, g] = [x?.shape, grid?.shape];
  if (a !== undefined && g !== undefined) {
    const axes = g.at(-1);
    if (a.length !== g.length || (isFixed(axes) && axes !== a.length - 2)) {
      fail(
        node,
        `expected a grid [N,…,${a.length - 2}] of rank ${a.length} for ${formatShape(a)}, received ${formatShape(g)}`,
      );
    }
  }
  const rank = a?.length ?? g?.length;
  if (rank === undefined) return single(x?.dtype, undefined);
  const out = g?.slice(1, -1) ?? unknownDims(rank - 2);
  return single(x?.dtype, [a?.[0] ?? g?.[0] ?? '?', a?.[1] ?? '?', ...out]);
};

/** AffineGrid: theta [N,rank,rank+1], size [N,C,…] → [N,…,rank]. */
const affineGrid: ShapeRule = ({ inputs: [theta, size], contents: [, sizes] }) => {
  const count = sizes?.length ?? size?.shape?.[0];
  if (!isFixed(count)) return single(theta?.dtype, undefined);
  const [n = '?', , ...spatial] = sizes ?? unknownDims(count);
  const batch = n === '?' ? (theta?.shape?.[0] ?? '?') : n;
  return single(theta?.dtype, [batch, ...spatial, count - 2]);
};

/** The regions in input 1 cut from x [N,C,H,W] and pooled to `pooled`. */
function regionPool(context: InferContext, pooled: readonly number[], columns: number): Inferred {
  const { node, inputs } = context;
  const [x, rois] = inputs;
  const shape = imageOf(context);
  const width = rois?.shape?.[1];
  if (
    rois?.shape !== undefined &&
    (rois.shape.length !== 2 || (isFixed(width) && width !== columns))
  ) {
    fail(node, `expected regions [R,${columns}], received ${formatShape(rois.shape)}`);
  }
  const count = rois?.shape?.[0] ?? inputs[2]?.shape?.[0] ?? '?';
  return single(x?.dtype, [count, shape?.[1] ?? '?', ...pooled]);
}

/** RoiAlign: [R,C,output_height,output_width]. */
const roiAlign: ShapeRule = (context) => {
  const { node } = context;
  return regionPool(context, [intOf(node, 'output_height', 1), intOf(node, 'output_width', 1)], 4);
};

/** MaxRoiPool: [R,C,…pooled_shape]. */
const maxRoiPool: ShapeRule = (context) => {
  const pooled = intsOf(context.node, 'pooled_shape');
  if (pooled?.length !== 2) fail(context.node, 'expected two sizes in attribute pooled_shape');
  return regionPool(context, pooled, 5);
};

/** NonMaxSuppression: how many boxes stay depends on the data. */
const nonMaxSuppression: ShapeRule = ({ node, inputs: [boxes, scores] }) => {
  for (const shape of [boxes?.shape, scores?.shape]) {
    if (shape !== undefined && shape.length !== 3) {
      fail(node, `expected boxes [N,B,4] and scores [N,classes,B], received ${formatShape(shape)}`);
    }
  }
  return single('int64', ['?', 3]);
};

/** ImageDecoder: height and width are in the encoded bytes. */
const imageDecoder: ShapeRule = ({ node }) =>
  single('uint8', ['?', '?', stringOf(node, 'pixel_format', 'RGB') === 'Grayscale' ? 1 : 3]);

/** LpPool: as AveragePool. */
const lpPool: ShapeRule = (context) => ({ types: pool(context).types.slice(0, 1) });

export const imageShapes: Readonly<Record<keyof typeof imageSchemas, ShapeRule>> = {
  AffineGrid: affineGrid,
  CenterCropPad: centerCropPad,
  Col2Im: col2im,
  DeformConv: deformConv,
  DepthToSpace: depthToSpace,
  GlobalLpPool: globalPool,
  GridSample: gridSample,
  ImageDecoder: imageDecoder,
  LpPool: lpPool,
  MaxRoiPool: maxRoiPool,
  MaxUnpool: maxUnpool,
  NonMaxSuppression: nonMaxSuppression,
  Resize: resize,
  RoiAlign: roiAlign,
  SpaceToDepth: spaceToDepth,
  Upsample: resize,
};
