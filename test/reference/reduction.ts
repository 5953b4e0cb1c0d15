import { intOf } from '../../src/ir/attributes.js';
import { count, integers, type Kernel, type Kernels, need, positive } from './kernel.js';
import { at, broadcast, map, reduce, reshape, size, type Tensor } from './tensor.js';

const sum = (a: number, b: number) => a + b;

function reducer(fold: (t: Tensor, axes: readonly number[]) => Tensor): Kernel {
  return (node, inputs) => {
    const x = need(inputs, 0);
    const rank = x.dims.length;
    const listed = integers(node, 'axes', inputs[1]) ?? [];
    const none = intOf(node, 'noop_with_empty_axes', 0) === 1 ? [] : count(rank);
    const axes = listed.length > 0 ? listed.map((axis) => positive(axis, rank)) : none;
    const result = fold(x, axes);
    if (intOf(node, 'keepdims', 1) === 1) return [result];
    return [
      reshape(
        result,
        x.dims.filter((_, i) => !axes.includes(i)),
      ),
    ];
  };
}

const mean = (t: Tensor, axes: readonly number[]) =>
  map(reduce(t, axes, 0, sum), (x) => x / size(axes.map((axis) => at(t.dims, axis))));
const max = (t: Tensor, axes: readonly number[]) =>
  reduce(t, axes, Number.NEGATIVE_INFINITY, Math.max);
const min = (t: Tensor, axes: readonly number[]) =>
  reduce(t, axes, Number.POSITIVE_INFINITY, Math.min);
const spatial = (t: Tensor) => count(t.dims.length).slice(2);

function softmax(x: Tensor, axis: number): Tensor {
  const shifted = broadcast([x, max(x, [axis])], (a, b) => Math.exp(a - b));
  return broadcast([shifted, reduce(shifted, [axis], 0, sum)], (a, b) => a / b);
}

export const reduction: Kernels = {
  ArgMax: (node, inputs) => {
    const x = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', 0), x.dims.length);
    const peak = max(x, [axis]);
    const length = at(x.dims, axis);
    const places = broadcast([x, peak], (a, b) => (a === b ? 1 : 0));
    const first = reduce(places, [axis], 0, (n, hit) => (n < 0 ? n : hit ? -1 - n : n + 1));
    const index = map(first, (n) => (n < 0 ? -1 - n : length));
    if (intOf(node, 'keepdims', 1) === 1) return [index];
    return [
      reshape(
        index,
        x.dims.filter((_, i) => i !== axis),
      ),
    ];
  },
  GlobalAveragePool: (_, inputs) => [mean(need(inputs, 0), spatial(need(inputs, 0)))],
  GlobalMaxPool: (_, inputs) => [max(need(inputs, 0), spatial(need(inputs, 0)))],
  LogSoftmax: (node, inputs) => {
    const x = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', -1), x.dims.length);
    return [map(softmax(x, axis), Math.log)];
  },
  ReduceMax: reducer(max),
  ReduceMean: reducer(mean),
  ReduceMin: reducer(min),
  ReduceSum: reducer((t, axes) => reduce(t, axes, 0, sum)),
  Softmax: (node, inputs) => {
    const x = need(inputs, 0);
    return [softmax(x, positive(intOf(node, 'axis', -1), x.dims.length))];
  },
};
