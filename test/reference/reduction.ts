import { intOf } from '../../src/ir/attributes.js';
import { count, integers, type Kernel, type Kernels, need, positive } from './kernel.js';
import { at, broadcast, generate, get, map, reduce, reshape, size, type Tensor } from './tensor.js';

const sum = (a: number, b: number) => a + b;

/** A reduction with axes as attribute or input; the others in `fold` stay, with size 1. */
export function reducer(fold: (t: Tensor, axes: readonly number[]) => Tensor): Kernel {
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

/** Where along the axis the first element stands (the last, if asked for) that none beats. */
export function argReduce(beats: (a: number, b: number) => boolean): Kernel {
  return (node, inputs) => {
    const x = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', 0), x.dims.length);
    const last = intOf(node, 'select_last_index', 0) === 1;
    const kept = x.dims.map((size, i) => (i === axis ? 1 : size));
    const index = generate(kept, (place) => {
      const value = (i: number) => get(x, place.toSpliced(axis, 1, i));
      return count(at(x.dims, axis)).reduce((best, i) => {
        const better = beats(value(i), value(best)) || (last && value(i) === value(best));
        return better ? i : best;
      }, 0);
    });
    if (intOf(node, 'keepdims', 1) === 1) return [index];
    return [reshape(index, x.dims.toSpliced(axis, 1))];
  };
}

/** Along one axis; before opset 13 along all from it on, taken as one. */
export function alongAxis(f: (x: Tensor, axis: number) => Tensor): Kernel {
  return (node, inputs, opset) => {
    const x = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', opset < 13 ? 1 : -1), x.dims.length);
    if (opset >= 13) return [f(x, axis)];
    const rows = [size(x.dims.slice(0, axis)), size(x.dims.slice(axis))];
    return [reshape(f(reshape(x, rows), 1), x.dims)];
  };
}

export const reduction: Kernels = {
  ArgMax: argReduce((a, b) => a > b),
  GlobalAveragePool: (_, inputs) => [mean(need(inputs, 0), spatial(need(inputs, 0)))],
  GlobalMaxPool: (_, inputs) => [max(need(inputs, 0), spatial(need(inputs, 0)))],
  LogSoftmax: alongAxis((x, axis) => {
    const shifted = broadcast([x, max(x, [axis])], (a, b) => a - b);
    const total = reduce(map(shifted, Math.exp), [axis], 0, sum);
    return broadcast([shifted, total], (a, b) => a - Math.log(b));
  }),
  ReduceMax: reducer(max),
  ReduceMean: reducer(mean),
  ReduceMin: reducer(min),
  ReduceSum: reducer((t, axes) => reduce(t, axes, 0, sum)),
  Softmax: alongAxis(softmax),
};
