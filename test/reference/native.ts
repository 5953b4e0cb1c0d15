/** The operators of `kernels/cpu`, from the formulas in their schema. */
import { floatOf, intOf, intsOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { philox } from '../native/augment-twin.js';
import { count, type Kernels, need } from './kernel.js';
import { conv, geometry, inside, tapAt } from './sliding.js';
import {
  at,
  broadcast,
  indices,
  map,
  offset,
  reduce,
  reshape,
  size,
  type Tensor,
  tensor,
  zeros,
} from './tensor.js';

/** Calls `visit` for every product of a convolution: places in X, W and Y. */
function products(
  node: Node,
  dims: { x: readonly number[]; w: readonly number[]; y: readonly number[] },
  visit: (x: number, w: number, y: number) => void,
): void {
  const [outputs, perGroup, ...kernel] = dims.w as [number, number, ...number[]];
  const spatial = dims.x.slice(2);
  const g = geometry(node, kernel, spatial);
  const outPerGroup = outputs / intOf(node, 'group', 1);
  for (const [n = 0, o = 0, ...position] of indices(dims.y)) {
    const first = Math.floor(o / outPerGroup) * perGroup;
    for (const tap of indices(kernel)) {
      const place = tapAt(g, position, tap);
      if (!inside(place, spatial)) continue;
      for (let i = 0; i < perGroup; i++) {
        const x = offset(dims.x, [n, first + i, ...place]);
        visit(x, offset(dims.w, [o, i, ...tap]), offset(dims.y, [n, o, ...position]));
      }
    }
  }
}

/** Box and Muller, from pairs of words. */
function normals([a, b, c, d]: readonly [number, number, number, number]): number[] {
  return [
    [a, b],
    [c, d],
  ].flatMap(([u = 0, v = 0]) => {
    const radius = Math.sqrt(-2 * Math.log((u + 0.5) / 2 ** 32));
    const angle = (2 * Math.PI * (v + 0.5)) / 2 ** 32;
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

const plus = (a: number, b: number) => a + b;

export const native: Kernels = {
  ActivationGrad: (node, inputs) => {
    const [low, high] = [floatOf(node, 'low', 0), floatOf(node, 'high', 0)];
    const ramp = intOf(node, 'ramp', 0) === 1;
    const slope = (x: number) => {
      if (ramp) return x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : 1;
      return x > low && x < high ? floatOf(node, 'slope', 1) : 0;
    };
    return [broadcast([need(inputs, 0), need(inputs, 1)], (dy, x) => dy * slope(x))];
  },
  BatchNormGrad: (_, inputs) => {
    const [dy, x, scale] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const axes = count(x.dims.length).filter((axis) => axis !== 1);
    const m = x.data.length / scale.data.length;
    const column = (t: Tensor) => reshape(t, [1, t.data.length, ...axes.slice(1).map(() => 1)]);
    const [mean, rate] = [column(need(inputs, 3)), column(need(inputs, 4))];
    const normal = broadcast([x, mean, rate], (v, u, r) => (v - u) * r);
    const dScale = reduce(
      broadcast([dy, normal], (a, b) => a * b),
      axes,
      0,
      plus,
    );
    const dBias = reduce(dy, axes, 0, plus);
    const gain = broadcast([column(scale), rate], (s, r) => s * r);
    const dx = broadcast(
      [dy, normal, gain, dBias, dScale],
      (d, n, g, b, s) => g * (d - b / m - (n * s) / m),
    );
    return [dx, reshape(dScale, scale.dims), reshape(dBias, scale.dims)];
  },
  ConvInputGrad: (node, inputs) => {
    const [dy, w] = [need(inputs, 0), need(inputs, 1)];
    const channels = at(w.dims, 1) * intOf(node, 'group', 1);
    const dx = zeros([at(dy.dims, 0), channels, ...(intsOf(node, 'spatial_shape') ?? [])]);
    products(node, { x: dx.dims, w: w.dims, y: dy.dims }, (i, j, k) => {
      dx.data[i] = at(dx.data, i) + at(w.data, j) * at(dy.data, k);
    });
    return [dx];
  },
  ConvWeightGrad: (node, inputs) => {
    const [dy, x] = [need(inputs, 0), need(inputs, 1)];
    const perGroup = at(x.dims, 1) / intOf(node, 'group', 1);
    const dw = zeros([at(dy.dims, 1), perGroup, ...(intsOf(node, 'kernel_shape') ?? [])]);
    products(node, { x: x.dims, w: dw.dims, y: dy.dims }, (i, j, k) => {
      dw.data[j] = at(dw.data, j) + at(x.data, i) * at(dy.data, k);
    });
    return [dw];
  },
  MaxPoolGrad: (node, inputs) => {
    const [dy, picked] = [need(inputs, 0), need(inputs, 1)];
    const dx = zeros([...dy.dims.slice(0, 2), ...(intsOf(node, 'spatial_shape') ?? [])]);
    dy.data.forEach((v, i) => {
      const place = at(picked.data, i);
      dx.data[place] = at(dx.data, place) + v;
    });
    return [dx];
  },
  TensorDraws: (node, inputs) => {
    const run = at(need(inputs, 1).data, 0);
    const seed = intOf(node, 'seed', 0);
    const { dims } = need(inputs, 0);
    const values = count(Math.ceil(size(dims) / 4)).flatMap((block) => {
      const words = philox([block, 0, run % 2 ** 32, Math.floor(run / 2 ** 32)], [seed, 4]);
      return intOf(node, 'normal', 0) === 1
        ? normals(words)
        : words.map((w) => (w >>> 8) / 2 ** 24);
    });
    const [offset, scale] = [floatOf(node, 'offset', 0), floatOf(node, 'scale', 1)];
    return [
      tensor(
        dims,
        values.slice(0, size(dims)).map((v) => offset + scale * v),
      ),
    ];
  },
  TrainingBatchNorm: (node, inputs) => {
    const [x, scale, bias] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const axes = count(x.dims.length).filter((axis) => axis !== 1);
    const m = x.data.length / scale.data.length;
    const column = (t: Tensor) => reshape(t, [1, t.data.length, ...axes.slice(1).map(() => 1)]);
    const mean = map(reduce(x, axes, 0, plus), (v) => v / m);
    const squares = broadcast([x, mean], (v, u) => (v - u) ** 2);
    const variance = map(reduce(squares, axes, 0, plus), (v) => v / m);
    const rate = map(variance, (v) => 1 / Math.sqrt(v + floatOf(node, 'epsilon', 1e-5)));
    const y = broadcast(
      [x, mean, rate, column(scale), column(bias)],
      (v, u, r, s, b) => (v - u) * r * s + b,
    );
    return [y, ...[mean, variance, rate].map((t) => reshape(t, scale.dims))];
  },
  TrainingConv: (node, inputs) => [conv(node, need(inputs, 0), need(inputs, 1), inputs[2])],
};
