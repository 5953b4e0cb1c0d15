/** Images and feature maps. */
import { floatOf, intOf, intsOf, stringOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { count, integers, type Kernels, need, positive } from './kernel.js';
import { resizing } from './resize.js';
import { sampling } from './sampling.js';
import {
  at,
  generate,
  get,
  indices,
  offset,
  reshape,
  size,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from './tensor.js';

function depthToSpace(node: Node, x: Tensor): Tensor {
  const [n = 0, c = 0, h = 0, w = 0] = x.dims;
  const b = intOf(node, 'blocksize', 1);
  const depth = c / (b * b);
  const moved =
    stringOf(node, 'mode', 'DCR') === 'DCR'
      ? transpose(reshape(x, [n, b, b, depth, h, w]), [0, 3, 4, 1, 5, 2])
      : transpose(reshape(x, [n, depth, b, b, h, w]), [0, 1, 4, 2, 5, 3]);
  return reshape(moved, [n, depth, h * b, w * b]);
}

function spaceToDepth(node: Node, x: Tensor): Tensor {
  const [n = 0, c = 0, h = 0, w = 0] = x.dims;
  const b = intOf(node, 'blocksize', 1);
  return generate([n, c * b * b, h / b, w / b], ([i = 0, channel = 0, row = 0, column = 0]) => {
    const block = Math.floor(channel / c);
    return get(x, [i, channel % c, row * b + Math.floor(block / b), column * b + (block % b)]);
  });
}

function centerCropPad(node: Node, x: Tensor, target: Tensor): Tensor {
  const dims = [...x.dims];
  const axes = intsOf(node, 'axes') ?? count(dims.length);
  axes.forEach((axis, i) => {
    dims[positive(axis, dims.length)] = at(target.data, i);
  });
  return generate(dims, (index) => {
    const from = index.map((place, axis) => {
      const [before, after] = [at(x.dims, axis), at(dims, axis)];
      return after < before
        ? place + Math.floor((before - after) / 2)
        : place - Math.floor((after - before) / 2);
    });
    return from.every((p, i) => p >= 0 && p < at(x.dims, i)) ? get(x, from) : 0;
  });
}

function col2im(node: Node, x: Tensor, image: number[], block: number[]): Tensor {
  const rank = image.length;
  const list = (name: string, length: number, fallback: number) =>
    intsOf(node, name) ?? new Array<number>(length).fill(fallback);
  const [strides, dilations] = [list('strides', rank, 1), list('dilations', rank, 1)];
  const pads = list('pads', 2 * rank, 0);
  const counts = image.map((length, i) => {
    const room =
      length + at(pads, i) + at(pads, i + rank) - (at(block, i) - 1) * at(dilations, i) - 1;
    return Math.floor(room / at(strides, i)) + 1;
  });
  const [n, columns] = [at(x.dims, 0), at(x.dims, 1)];
  const y = zeros([n, columns / size(block), ...image]);
  for (const [batch = 0, column = 0, ...position] of indices([n, columns, ...counts])) {
    let rest = column % size(block);
    const tap = block.map(() => 0);
    for (let i = rank - 1; i >= 0; i--) {
      tap[i] = rest % at(block, i);
      rest = Math.floor(rest / at(block, i));
    }
    const place = position.map(
      (p, i) => p * at(strides, i) - at(pads, i) + at(tap, i) * at(dilations, i),
    );
    if (!place.every((p, i) => p >= 0 && p < at(image, i))) continue;
    const to = offset(y.dims, [batch, Math.floor(column / size(block)), ...place]);
    y.data[to] = at(y.data, to) + get(x, [batch, column, offset(counts, position)]);
  }
  return y;
}

function maxUnpool(node: Node, x: Tensor, places: Tensor, stated?: Tensor): Tensor {
  const kernel = intsOf(node, 'kernel_shape') ?? [];
  const strides = intsOf(node, 'strides') ?? kernel.map(() => 1);
  const pads = intsOf(node, 'pads') ?? new Array<number>(2 * kernel.length).fill(0);
  const large = kernel.map(
    (k, i) =>
      (at(x.dims, i + 2) - 1) * at(strides, i) + k - at(pads, i) - at(pads, i + kernel.length),
  );
  const y = zeros([...x.dims.slice(0, 2), ...large]);
  x.data.forEach((value, i) => {
    y.data[at(places.data, i)] = value;
  });
  if (stated === undefined) return y;
  return generate(Array.from(stated.data), (index) =>
    index.every((p, i) => p < at(y.dims, i)) ? get(y, index) : 0,
  );
}

function maxRoiPool(node: Node, x: Tensor, rois: Tensor): Tensor {
  const [rows = 1, columns = 1] = intsOf(node, 'pooled_shape') ?? [];
  const [, channels = 0, height = 0, width = 0] = x.dims;
  const scale = floatOf(node, 'spatial_scale', 1);
  return generate([at(rois.dims, 0), channels, rows, columns], ([r = 0, c = 0, i = 0, j = 0]) => {
    const [batch = 0, ...ends] = count(5).map((k) => get(rois, [r, k]));
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = ends.map((v) => Math.round(v * scale));
    const range = (low: number, high: number, bins: number, bin: number, length: number) => {
      const part = Math.max(high - low + 1, 1) / bins;
      const clamp = (v: number) => Math.min(Math.max(v + low, 0), length);
      return [clamp(Math.floor(bin * part)), clamp(Math.ceil((bin + 1) * part))] as const;
    };
    const [top, bottom] = range(y1, y2, rows, i, height);
    const [left, right] = range(x1, x2, columns, j, width);
    let most = Number.NEGATIVE_INFINITY;
    for (let y = top; y < bottom; y++) {
      for (let z = left; z < right; z++) most = Math.max(most, get(x, [batch, c, y, z]));
    }
    return most === Number.NEGATIVE_INFINITY ? 0 : most;
  });
}

/** Boxes kept by falling score, those left out that overlap a kept one. */
function nonMaxSuppression(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor {
  const [boxes, scores] = [need(inputs, 0), need(inputs, 1)];
  const [most, overlap] = [inputs[2]?.data[0] ?? 0, inputs[3]?.data[0] ?? 0];
  const least = inputs[4]?.data[0] ?? Number.NEGATIVE_INFINITY;
  const centred = intOf(node, 'center_point_box', 0) === 1;
  const [batches = 0, classes = 0, total = 0] = scores.dims;
  const corners = (batch: number, box: number) => {
    const [a = 0, b = 0, c = 0, d = 0] = count(4).map((k) => get(boxes, [batch, box, k]));
    if (centred) return { x: [a - c / 2, a + c / 2], y: [b - d / 2, b + d / 2] } as const;
    return { x: [Math.min(b, d), Math.max(b, d)], y: [Math.min(a, c), Math.max(a, c)] } as const;
  };
  const kept: number[][] = [];
  for (const [batch = 0, label = 0] of indices([batches, classes])) {
    const order = count(total)
      .filter((box) => get(scores, [batch, label, box]) > least)
      .sort((a, b) => get(scores, [batch, label, b]) - get(scores, [batch, label, a]));
    const chosen: number[] = [];
    for (const box of order) {
      if (chosen.length >= most) break;
      const one = corners(batch, box);
      const overlaps = chosen.some((other) => {
        const two = corners(batch, other);
        const shared = (['x', 'y'] as const).map((axis) =>
          Math.max(0, Math.min(one[axis][1], two[axis][1]) - Math.max(one[axis][0], two[axis][0])),
        );
        const common = at(shared, 0) * at(shared, 1);
        const area = ({ x, y }: typeof one) => (x[1] - x[0]) * (y[1] - y[0]);
        return common > 0 && common / (area(one) + area(two) - common) > overlap;
      });
      if (!overlaps) chosen.push(box);
    }
    kept.push(...chosen.map((box) => [batch, label, box]));
  }
  return tensor([kept.length, 3], kept.flat());
}

export const image: Kernels = {
  ...resizing,
  ...sampling,
  CenterCropPad: (node, inputs) => [centerCropPad(node, need(inputs, 0), need(inputs, 1))],
  Col2Im: (node, inputs) => [
    col2im(
      node,
      need(inputs, 0),
      Array.from(need(inputs, 1).data),
      Array.from(integers(node, 'block_shape', need(inputs, 2)) ?? []),
    ),
  ],
  DepthToSpace: (node, inputs) => [depthToSpace(node, need(inputs, 0))],
  MaxRoiPool: (node, inputs) => [maxRoiPool(node, need(inputs, 0), need(inputs, 1))],
  MaxUnpool: (node, inputs) => [maxUnpool(node, need(inputs, 0), need(inputs, 1), inputs[2])],
  NonMaxSuppression: (node, inputs) => [nonMaxSuppression(node, inputs)],
  SpaceToDepth: (node, inputs) => [spaceToDepth(node, need(inputs, 0))],
};
