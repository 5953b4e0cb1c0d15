/** Losses and updates that are operators. */
import { floatOf, intOf, stringOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { type Kernel, type Kernels, need } from './kernel.js';
import { at, generate, get, scalar, size, type Tensor } from './tensor.js';

function logSoftmax(x: Tensor): Tensor {
  const classes = at(x.dims, 1);
  return generate(x.dims, (index) => {
    const all = Array.from({ length: classes }, (_, c) =>
      get(x, [at(index, 0), c, ...index.slice(2)]),
    );
    const high = Math.max(...all);
    return get(x, index) - high - Math.log(all.reduce((sum, v) => sum + Math.exp(v - high), 0));
  });
}

function likelihoodLoss(node: Node, logs: Tensor, labels: Tensor, weights?: Tensor): Tensor {
  const ignored = node.attributes.ignore_index && intOf(node, 'ignore_index', 0);
  const weightAt = (label: number) =>
    label === ignored ? 0 : weights === undefined ? 1 : at(weights.data, label);
  const losses = generate(labels.dims, (index) => {
    const label = get(labels, index);
    if (label === ignored) return 0;
    return -weightAt(label) * get(logs, [at(index, 0), label, ...index.slice(1)]);
  });
  const reduction = stringOf(node, 'reduction', 'mean');
  if (reduction === 'none') return losses;
  const sum = losses.data.reduce((a, b) => a + b, 0);
  if (reduction === 'sum') return scalar(sum);
  return scalar(sum / labels.data.reduce((a, label) => a + weightAt(label), 0));
}

/** One step for each tensor: R, T, all X, all G, then lists of state; out X, then the states. */
function update(
  step: (node: Node, rate: number, count: number, x: number[]) => readonly number[],
  states: number,
): Kernel {
  return (node, inputs) => {
    const rate = at(need(inputs, 0).data, 0);
    const count = at(need(inputs, 1).data, 0);
    const tensors = (inputs.length - 2) / (2 + states);
    const results = Array.from({ length: tensors }, (_, i) => {
      const parts = Array.from({ length: 2 + states }, (_, k) => need(inputs, 2 + k * tensors + i));
      const { dims } = parts[0] as Tensor;
      const steps = Array.from({ length: size(dims) }, (_, n) =>
        step(
          node,
          rate,
          count,
          parts.map((t) => at(t.data, n)),
        ),
      );
      return Array.from({ length: 1 + states }, (_, k) => ({
        dims,
        data: Float64Array.from(steps, (values) => at(values, k)),
      }));
    });
    return Array.from({ length: 1 + states }, (_, k) => k).flatMap((k) =>
      results.map((list) => list[k] as Tensor),
    );
  };
}

export const criterion: Kernels = {
  Adagrad: update((node, rate, count, [x = 0, g = 0, h = 0]) => {
    const r = rate / (1 + count * floatOf(node, 'decay_factor', 0));
    const regular = floatOf(node, 'norm_coefficient', 0) * x + g;
    const square = h + regular * regular;
    return [x - (r * regular) / (Math.sqrt(square) + floatOf(node, 'epsilon', 1e-6)), square];
  }, 1),
  Adam: update((node, rate, count, [x = 0, g = 0, v = 0, h = 0]) => {
    const alpha = floatOf(node, 'alpha', 0.9);
    const beta = floatOf(node, 'beta', 0.999);
    const regular = floatOf(node, 'norm_coefficient', 0) * x + g;
    const mean = alpha * v + (1 - alpha) * regular;
    const square = beta * h + (1 - beta) * regular * regular;
    const unbiased = count > 0 ? Math.sqrt(1 - beta ** count) / (1 - alpha ** count) : 1;
    const step = (rate * unbiased * mean) / (Math.sqrt(square) + floatOf(node, 'epsilon', 1e-6));
    return [(1 - floatOf(node, 'norm_coefficient_post', 0)) * (x - step), mean, square];
  }, 2),
  Momentum: update((node, rate, count, [x = 0, g = 0, v = 0]) => {
    const alpha = floatOf(node, 'alpha', 0);
    const regular = floatOf(node, 'norm_coefficient', 0) * x + g;
    const speed = alpha * v + (count > 0 ? floatOf(node, 'beta', 0) : 1) * regular;
    const nesterov = stringOf(node, 'mode', 'standard') === 'nesterov';
    return [x - rate * (nesterov ? regular + alpha * speed : speed), speed];
  }, 1),
  NegativeLogLikelihoodLoss: (node, inputs) => [
    likelihoodLoss(node, need(inputs, 0), need(inputs, 1), inputs[2]),
  ],
  SoftmaxCrossEntropyLoss: (node, inputs) => {
    const logs = logSoftmax(need(inputs, 0));
    return [likelihoodLoss(node, logs, need(inputs, 1), inputs[2]), logs];
  },
};
