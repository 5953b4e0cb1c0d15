/** The operators of `kernels/cpu` for sequences, from the formulas in their schema. */
import { floatOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { erf } from './elementwise.js';
import { count, type Kernels, need } from './kernel.js';
import { at, broadcast, generate, get, map, reduce, reshape, size, type Tensor } from './tensor.js';

const plus = (a: number, b: number) => a + b;
const cumulative = (x: number) => (1 + erf(x / Math.SQRT2)) / 2;
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const total = (length: number, value: (i: number) => number) =>
  count(length).reduce((sum, i) => sum + value(i), 0);

/** Scores, softmax and its normaliser as functions of image, head, query and key. */
function attention(node: Node, q: Tensor, k: Tensor) {
  const [, , , depth = 0] = q.dims;
  const keys = at(k.dims, 1);
  const scale = floatOf(node, 'scale', 1);
  const score = (n: number, h: number, i: number, j: number) =>
    scale * total(depth, (d) => get(q, [n, i, h, d]) * get(k, [n, j, h, d]));
  const [batch = 0, queries = 0, heads = 0] = q.dims;
  const normaliser = generate([batch, heads, queries], ([n = 0, h = 0, i = 0]) =>
    Math.log(total(keys, (j) => Math.exp(score(n, h, i, j)))),
  );
  const share = generate([batch, heads, queries, keys], ([n = 0, h = 0, i = 0, j = 0]) =>
    Math.exp(score(n, h, i, j) - get(normaliser, [n, h, i])),
  );
  return { normaliser, share, keys, queries, scale };
}

export const nativeSequence: Kernels = {
  AttentionGrad: (node, inputs) => {
    const [dy, q, k, v] = [need(inputs, 0), need(inputs, 1), need(inputs, 2), need(inputs, 3)];
    const { share, keys, queries, scale } = attention(node, q, k);
    const depth = at(v.dims, 3);
    const dShare = generate(share.dims, ([n = 0, h = 0, i = 0, j = 0]) =>
      total(depth, (d) => get(dy, [n, i, h, d]) * get(v, [n, j, h, d])),
    );
    const along = generate(share.dims.slice(0, 3), (row) =>
      total(keys, (j) => get(share, [...row, j]) * get(dShare, [...row, j])),
    );
    const dScore = generate(
      share.dims,
      (place) => scale * get(share, place) * (get(dShare, place) - get(along, place.slice(0, 3))),
    );
    return [
      generate(q.dims, ([n = 0, i = 0, h = 0, d = 0]) =>
        total(keys, (j) => get(dScore, [n, h, i, j]) * get(k, [n, j, h, d])),
      ),
      generate(k.dims, ([n = 0, j = 0, h = 0, d = 0]) =>
        total(queries, (i) => get(dScore, [n, h, i, j]) * get(q, [n, i, h, d])),
      ),
      generate(v.dims, ([n = 0, j = 0, h = 0, d = 0]) =>
        total(queries, (i) => get(share, [n, h, i, j]) * get(dy, [n, i, h, d])),
      ),
    ];
  },
  GeluGrad: (_, inputs) => [
    broadcast([need(inputs, 0), need(inputs, 1)], (dy, x) => dy * (cumulative(x) + x * density(x))),
  ],
  LayerNormGrad: (_, inputs) => {
    const [dy, x, scale] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const columns = size(scale.dims);
    const rows = [x.data.length / columns, 1];
    const flat = (t: Tensor) => reshape(t, [at(rows, 0), t.data.length / at(rows, 0)]);
    const [d, mean, rate] = [
      flat(dy),
      reshape(need(inputs, 3), rows),
      reshape(need(inputs, 4), rows),
    ];
    const normal = broadcast([flat(x), mean, rate], (v, u, r) => (v - u) * r);
    const gain = broadcast([d, reshape(scale, [1, columns])], (a, b) => a * b);
    const product = (a: Tensor, b: Tensor) => broadcast([a, b], (u, v) => u * v);
    const average = (t: Tensor) => map(reduce(t, [1], 0, plus), (v) => v / columns);
    const dx = broadcast(
      [gain, normal, rate, average(gain), average(product(gain, normal))],
      (g, n, r, ofG, ofProduct) => r * (g - ofG - n * ofProduct),
    );
    const down = (t: Tensor) => reshape(reduce(t, [0], 0, plus), scale.dims);
    return [reshape(dx, x.dims), down(product(d, normal)), down(d)];
  },
  SiluGrad: (_, inputs) => [
    broadcast([need(inputs, 0), need(inputs, 1)], (dy, x) => {
      const gate = sigmoid(x);
      return dy * gate * (1 + x * (1 - gate));
    }),
  ],
  TrainingAttention: (node, inputs) => {
    const [q, k, v] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const { normaliser, share, keys } = attention(node, q, k);
    const y = generate([...q.dims.slice(0, 3), at(v.dims, 3)], ([n = 0, i = 0, h = 0, d = 0]) =>
      total(keys, (j) => get(share, [n, h, i, j]) * get(v, [n, j, h, d])),
    );
    return [y, normaliser];
  },
  TrainingGelu: (_, inputs) => [map(need(inputs, 0), (x) => x * cumulative(x))],
  TrainingSilu: (_, inputs) => [map(need(inputs, 0), (x) => x * sigmoid(x))],
};
