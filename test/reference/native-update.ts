/** The losses and optimiser steps of `kernels/cpu`, from the formulas in their schema. */
import { floatOf, intOf } from '../../src/ir/attributes.js';
import { type Kernels, need } from './kernel.js';
import { at, broadcast, map, reduce, scalar, type Tensor } from './tensor.js';

const plus = (a: number, b: number) => a + b;
const only = (inputs: readonly (Tensor | undefined)[], i: number) => at(need(inputs, i).data, 0);

/** Pieces one after the other. */
const joined = (pieces: readonly (Tensor | undefined)[], dims: readonly number[]): Tensor => ({
  dims,
  data: Float64Array.from(pieces.flatMap((_, i) => [...need(pieces, i).data])),
});

export const nativeUpdate: Kernels = {
  AdamwUpdate: (node, inputs) => {
    const [w, mean, square] = [0, 1, 2].map((i) => need(inputs, i)) as [Tensor, Tensor, Tensor];
    const gradient = joined(inputs.slice(7), w.dims);
    const [factor, keep, size, correction] = [3, 4, 5, 6].map((i) => only(inputs, i)) as [
      number,
      number,
      number,
      number,
    ];
    const [beta1, beta2] = [floatOf(node, 'beta1', 0), floatOf(node, 'beta2', 0)];
    const g = map(gradient, (v) => v * factor);
    const m = broadcast([mean, g], (old, fresh) => beta1 * old + (1 - beta1) * fresh);
    const v = broadcast([square, g], (old, fresh) => beta2 * old + (1 - beta2) * fresh ** 2);
    const epsilon = floatOf(node, 'epsilon', 0);
    const next = broadcast(
      [w, m, v],
      (x, a, b) => keep * x - (size * a) / (Math.sqrt(b) * correction + epsilon),
    );
    return [next, m, v];
  },
  SgdUpdate: (node, inputs) => {
    const [w, velocity] = [need(inputs, 0), need(inputs, 1)];
    const gradient = joined(inputs.slice(4), w.dims);
    const [factor, rate] = [only(inputs, 2), only(inputs, 3)];
    const [momentum, decay] = [floatOf(node, 'momentum', 0), floatOf(node, 'decay', 0)];
    const g = broadcast([gradient, w], (v, x) => v * factor + decay * x);
    const v = broadcast([velocity, g], (old, fresh) => momentum * old + fresh);
    const nesterov = intOf(node, 'nesterov', 0) === 1;
    const next = broadcast(
      [w, g, v],
      (x, fresh, moved) => x - rate * (nesterov ? fresh + momentum * moved : moved),
    );
    return [next, v];
  },
  SumOfSquares: (_, inputs) => [scalar(joined(inputs, []).data.reduce((sum, v) => sum + v * v, 0))],
  TrainingCrossEntropy: (_, inputs) => {
    const [logits, target] = [need(inputs, 0), need(inputs, 1)];
    const rows = at(logits.dims, 0);
    const sums = reduce(
      map(logits, (v) => Math.exp(v)),
      [1],
      0,
      plus,
    );
    const logs = broadcast([logits, sums], (v, s) => v - Math.log(s));
    const loss = broadcast([target, logs], (t, l) => (-t * l) / rows).data.reduce(plus, 0);
    const weights = reduce(target, [1], 0, plus);
    const gradient = broadcast([logs, target, weights], (l, t, s) => (Math.exp(l) * s - t) / rows);
    return [scalar(loss), gradient];
  },
};
