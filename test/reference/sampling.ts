/** Images read between their elements: grids, regions, deformable convolution. */
import { floatOf, intOf, intsOf, stringOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { count, type Kernels, need } from './kernel.js';
import { at, generate, get, indices, type Tensor } from './tensor.js';

/** What an image [N,C,…] holds at integer places, by the rule for those outside. */
type Pixel = (n: number, c: number, place: readonly number[]) => number;

function mirrored(x: number, low: number, high: number): number {
  let place = x;
  if (high <= low) return low;
  while (place < low || place > high) place = place < low ? 2 * low - place : 2 * high - place;
  return place;
}

const inside = (place: readonly number[], dims: readonly number[]) =>
  place.every((p, i) => p >= 0 && p < at(dims, i));

/** Weights of the elements around a place, by axis. */
function around(x: number, mode: string): [number, number][] {
  const left = Math.floor(x);
  const t = x - left;
  if (mode === 'nearest') return [[x, 1]];
  if (mode === 'linear')
    return [
      [left, 1 - t],
      [left + 1, t],
    ];
  const a = -0.75;
  return [-1, 0, 1, 2].map((i) => {
    const d = Math.abs(i - t);
    const weight =
      d <= 1
        ? (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1
        : a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a;
    return [left + i, weight];
  });
}

function interpolate(
  pixel: (place: readonly number[]) => number,
  places: readonly number[],
  mode: string,
): number {
  const sum = (done: readonly number[]): number => {
    const axis = done.length;
    if (axis === places.length) return pixel(done);
    return around(at(places, axis), mode).reduce(
      (total, [i, weight]) => total + weight * sum([...done, i]),
      0,
    );
  };
  return sum([]);
}

/** In two dimensions halves go to the even neighbour, in three away from zero, as in PyTorch. */
function rounded(x: number, rank: number): number {
  if (rank === 3) return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
  const up = Math.floor(x + 0.5);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

function gridSample(node: Node, x: Tensor, grid: Tensor): Tensor {
  const dims = x.dims.slice(2);
  const rank = dims.length;
  const corners = intOf(node, 'align_corners', 0) === 1;
  const mode = stringOf(node, 'mode', 'linear').replace(/^bi/, '');
  const padding = stringOf(node, 'padding_mode', 'zeros');
  const edge = (length: number): [number, number] =>
    corners ? [0, length - 1] : [-0.5, length - 0.5];
  const outside = (place: number, length: number) =>
    padding === 'border'
      ? Math.min(Math.max(place, 0), length - 1)
      : padding === 'reflection'
        ? mirrored(place, ...edge(length))
        : place;
  const pixel: Pixel = (n, c, place) => {
    const within = place.map((p, i) => outside(p, at(dims, i)));
    return inside(within, dims) ? get(x, [n, c, ...within]) : 0;
  };
  const out = grid.dims.slice(1, -1);
  return generate([at(x.dims, 0), at(x.dims, 1), ...out], ([n = 0, c = 0, ...index]) => {
    const places = dims.map((length, axis) => {
      const g = get(grid, [n, ...index, rank - 1 - axis]);
      const place = corners ? ((g + 1) / 2) * (length - 1) : ((g + 1) * length - 1) / 2;
      // As in PyTorch, cubic interpolation moves each element inside and not the place.
      if (mode === 'cubic') return place;
      return outside(mode === 'nearest' ? rounded(place, rank) : place, length);
    });
    return interpolate((place) => pixel(n, c, place), places, mode);
  });
}

function affineGrid(node: Node, theta: Tensor, sizes: Tensor): Tensor {
  const [n = 0, , ...dims] = Array.from(sizes.data);
  const corners = intOf(node, 'align_corners', 0) === 1;
  const base = (i: number, length: number) => {
    if (!corners) return -1 + (2 * i + 1) / length;
    return length === 1 ? 0 : -1 + (2 * i) / (length - 1);
  };
  return generate([n, ...dims, dims.length], ([batch = 0, ...index]) => {
    const row = at(index, dims.length);
    const place = dims.map((length, axis) => base(at(index, axis), length)).reverse();
    return [...place, 1].reduce((sum, v, i) => sum + get(theta, [batch, row, i]) * v, 0);
  });
}

function roiAlign(node: Node, x: Tensor, rois: Tensor, batches: Tensor): Tensor {
  const [, channels = 0, height = 0, width = 0] = x.dims;
  const [bins, columns] = [intOf(node, 'output_height', 1), intOf(node, 'output_width', 1)];
  const half = stringOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel';
  const scale = floatOf(node, 'spatial_scale', 1);
  const largest = stringOf(node, 'mode', 'avg') === 'max';
  /** Places of the samples of one bin along an axis. */
  const samples = (start: number, end: number, parts: number, bin: number) => {
    const [low, high] = [start, end].map((v) => v * scale - (half ? 0.5 : 0)) as [number, number];
    const size = (half ? high - low : Math.max(high - low, 1)) / parts;
    const asked = intOf(node, 'sampling_ratio', 0);
    const taken = asked > 0 ? asked : Math.ceil(size);
    return count(taken).map((s) => low + bin * size + ((s + 0.5) * size) / taken);
  };
  return generate([at(rois.dims, 0), channels, bins, columns], ([r = 0, c = 0, i = 0, j = 0]) => {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = count(4).map((k) => get(rois, [r, k]));
    const parts: number[][] = [];
    for (const y of samples(y1, y2, bins, i)) {
      for (const z of samples(x1, x2, columns, j)) {
        if (y < -1 || y > height || z < -1 || z > width) {
          parts.push([0]);
          continue;
        }
        const corners: number[] = [];
        const [u, v] = [Math.min(Math.max(y, 0), height - 1), Math.min(Math.max(z, 0), width - 1)];
        for (const [a, wa] of around(u, 'linear')) {
          for (const [b, wb] of around(v, 'linear')) {
            const place = [at(batches.data, r), c, Math.min(a, height - 1), Math.min(b, width - 1)];
            corners.push(wa * wb * get(x, place));
          }
        }
        parts.push(corners);
      }
    }
    if (largest) return Math.max(...parts.flat());
    return parts.flat().reduce((sum, v) => sum + v, 0) / Math.max(parts.length, 1);
  });
}

function deformConv(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor {
  const [x, w, offsets] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
  const dims = x.dims.slice(2);
  const kernel = w.dims.slice(2);
  const taps = Array.from(indices(kernel));
  const list = (name: string, fallback: number) => intsOf(node, name) ?? dims.map(() => fallback);
  const [strides, dilations, pads] = [list('strides', 1), list('dilations', 1), list('pads', 0)];
  const [filters, perGroup] = [at(w.dims, 0), at(w.dims, 1)];
  const filtersPerGroup = filters / intOf(node, 'group', 1);
  const perOffset = at(x.dims, 1) / intOf(node, 'offset_group', 1);
  const out = offsets.dims.slice(2);
  return generate([at(x.dims, 0), filters, ...out], ([n = 0, o = 0, ...index]) => {
    let sum = inputs[3] === undefined ? 0 : at(inputs[3].data, o);
    for (let i = 0; i < perGroup; i++) {
      const channel = Math.floor(o / filtersPerGroup) * perGroup + i;
      const first = Math.floor(channel / perOffset) * taps.length;
      taps.forEach((tap, k) => {
        const place = dims.map((_, axis) => {
          const row = (first + k) * dims.length + axis;
          const rigid =
            at(index, axis) * at(strides, axis) -
            at(pads, axis) +
            at(tap, axis) * at(dilations, axis);
          return rigid + get(offsets, [n, row, ...index]);
        });
        const pixel = (p: readonly number[]) => (inside(p, dims) ? get(x, [n, channel, ...p]) : 0);
        const mask = inputs[4] === undefined ? 1 : get(inputs[4], [n, first + k, ...index]);
        sum += mask * get(w, [o, i, ...tap]) * interpolate(pixel, place, 'linear');
      });
    }
    return sum;
  });
}

export const sampling: Kernels = {
  AffineGrid: (node, inputs) => [affineGrid(node, need(inputs, 0), need(inputs, 1))],
  DeformConv: (node, inputs) => [deformConv(node, inputs)],
  GridSample: (node, inputs) => [gridSample(node, need(inputs, 0), need(inputs, 1))],
  RoiAlign: (node, inputs) => [roiAlign(node, need(inputs, 0), need(inputs, 1), need(inputs, 2))],
};
