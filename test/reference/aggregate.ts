/** Reference: further reductions and running sums. */
import { intOf } from '../../src/ir/attributes.js';
import { type Kernel, type Kernels, need, positive } from './kernel.js';
import { alongAxis, argReduce, reducer } from './reduction.js';
import { at, broadcast, generate, get, map, reduce, scalar, size, type Tensor } from './tensor.js';

const sum = (t: Tensor, axes: readonly number[]) => reduce(t, axes, 0, (a, b) => a + b);

/** Moved by the largest element, so that no power overflows. */
function logSumExp(t: Tensor, axes: readonly number[]): Tensor {
  const peak = reduce(t, axes, Number.NEGATIVE_INFINITY, Math.max);
  const shift = map(peak, (v) => (Number.isFinite(v) ? v : 0));
  const powers = broadcast([t, shift], (v, s) => Math.exp(v - s));
  return broadcast([sum(powers, axes), shift], (v, s) => Math.log(v) + s);
}

/** The elements up to each place, folded in order. */
const running =
  (start: number, fold: (a: number, b: number) => number): Kernel =>
  (node, inputs) => {
    const x = need(inputs, 0);
    const axis = positive(at(need(inputs, 1).data, 0), x.dims.length);
    const reverse = intOf(node, 'reverse', 0) === 1;
    const exclusive = intOf(node, 'exclusive', 0) === 1;
    const length = at(x.dims, axis);
    return [
      generate(x.dims, (index) => {
        const place = at(index, axis);
        let result = start;
        for (let i = 0; i < length; i++) {
          const comes = reverse ? i > place : i < place;
          if (!comes && (exclusive || i !== place)) continue;
          result = fold(result, get(x, index.toSpliced(axis, 1, i)));
        }
        return result;
      }),
    ];
  };

export const aggregate: Kernels = {
  ArgMin: argReduce((a, b) => a < b),
  CumProd: running(1, (a, b) => a * b),
  CumSum: running(0, (a, b) => a + b),
  Hardmax: alongAxis((x, axis) => {
    const peak = reduce(x, [axis], Number.NEGATIVE_INFINITY, Math.max);
    return generate(x.dims, (index) => {
      const top = get(peak, index.toSpliced(axis, 1, 0));
      if (get(x, index) !== top) return 0;
      for (let i = 0; i < at(index, axis); i++) {
        if (get(x, index.toSpliced(axis, 1, i)) === top) return 0;
      }
      return 1;
    });
  }),
  ReduceL1: reducer((t, axes) => sum(map(t, Math.abs), axes)),
  ReduceL2: reducer((t, axes) =>
    map(
      sum(
        map(t, (v) => v * v),
        axes,
      ),
      Math.sqrt,
    ),
  ),
  ReduceLogSum: reducer((t, axes) => map(sum(t, axes), Math.log)),
  ReduceLogSumExp: reducer(logSumExp),
  ReduceProd: reducer((t, axes) => reduce(t, axes, 1, (a, b) => a * b)),
  ReduceSumSquare: reducer((t, axes) =>
    sum(
      map(t, (v) => v * v),
      axes,
    ),
  ),
  Size: (_, inputs) => [scalar(size(need(inputs, 0).dims))],
};
