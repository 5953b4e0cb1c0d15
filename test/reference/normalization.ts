import { floatOf, intOf } from '../../src/ir/attributes.js';
import { count, type Kernels, need, positive } from './kernel.js';
import { at, broadcast, map, reduce, reshape, size, type Tensor } from './tensor.js';

function moments(x: Tensor, axes: readonly number[]) {
  const n = size(axes.map((axis) => at(x.dims, axis)));
  const mean = map(
    reduce(x, axes, 0, (a, b) => a + b),
    (v) => v / n,
  );
  const squares = broadcast([x, mean], (a, b) => (a - b) ** 2);
  return {
    mean,
    variance: map(
      reduce(squares, axes, 0, (a, b) => a + b),
      (v) => v / n,
    ),
  };
}

export const normalization: Kernels = {
  BatchNormalization: (node, inputs) => {
    const [x, scale, bias] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const epsilon = floatOf(node, 'epsilon', 1e-5);
    const momentum = floatOf(node, 'momentum', 0.9);
    const column = (t: Tensor) =>
      reshape(t, [t.data.length, ...count(x.dims.length - 2).map(() => 1)]);
    const apply = (mean: Tensor, variance: Tensor) =>
      broadcast(
        [x, column(scale), column(bias), column(mean), column(variance)],
        (v, s, b, m, q) => (s * (v - m)) / Math.sqrt(q + epsilon) + b,
      );
    const [oldMean, oldVariance] = [need(inputs, 3), need(inputs, 4)];
    if (intOf(node, 'training_mode', 0) === 0) return [apply(oldMean, oldVariance)];
    const { mean, variance } = moments(
      x,
      count(x.dims.length).filter((axis) => axis !== 1),
    );
    const running = (old: Tensor, batch: Tensor) =>
      broadcast([old, reshape(batch, old.dims)], (a, b) => momentum * a + (1 - momentum) * b);
    return [
      apply(reshape(mean, scale.dims), reshape(variance, scale.dims)),
      running(oldMean, mean),
      running(oldVariance, variance),
    ];
  },
  LayerNormalization: (node, inputs) => {
    const [x, scale, bias] = [need(inputs, 0), need(inputs, 1), inputs[2]];
    const rank = x.dims.length;
    const axes = count(rank).slice(positive(intOf(node, 'axis', -1), rank));
    const { mean, variance } = moments(x, axes);
    const rate = map(variance, (v) => 1 / Math.sqrt(v + floatOf(node, 'epsilon', 1e-5)));
    const normal = broadcast([x, mean, rate], (v, m, r) => (v - m) * r);
    const scaled = broadcast([normal, scale], (v, s) => v * s);
    return [bias === undefined ? scaled : broadcast([scaled, bias], (v, b) => v + b), mean, rate];
  },
};
