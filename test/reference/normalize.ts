/** Further normalisations. */
import { floatOf, intOf, intsOf } from '../../src/ir/attributes.js';
import { count, type Kernels, need, positive } from './kernel.js';
import { at, generate, get, getBroadcast, size, type Tensor, zeros } from './tensor.js';

/** Applies `f` to each list of elements that differ in their index along `axes` only. */
function alongAxes(x: Tensor, axes: readonly number[], f: (list: number[]) => number[]): Tensor {
  const groups = new Map<string, number[]>();
  const keys = count(x.data.length).map((n) => {
    let rest = n;
    const index = x.dims.map(() => 0);
    for (let axis = x.dims.length - 1; axis >= 0; axis--) {
      const d = at(x.dims, axis);
      index[axis] = axes.includes(axis) ? 0 : rest % d;
      rest = Math.floor(rest / d);
    }
    return index.join();
  });
  keys.forEach((key, n) => {
    groups.set(key, [...(groups.get(key) ?? []), n]);
  });
  const y = zeros(x.dims);
  for (const places of groups.values()) {
    const values = f(places.map((n) => at(x.data, n)));
    places.forEach((n, i) => {
      y.data[n] = at(values, i);
    });
  }
  return y;
}

function moments(list: readonly number[]) {
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  const variance = list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length;
  return { mean, variance };
}

/** Zero mean, unit variance. */
const standardize = (epsilon: number) => (list: number[]) => {
  const { mean, variance } = moments(list);
  return list.map((x) => (x - mean) / Math.sqrt(variance + epsilon));
};

export const normalize: Kernels = {
  GroupNormalization: (node, inputs) => {
    const [x, scale, bias] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const groups = intOf(node, 'num_groups', 0);
    const channels = at(x.dims, 1);
    const parted = [at(x.dims, 0), groups, size(x.dims.slice(1)) / groups];
    const y = alongAxes(
      { dims: parted, data: x.data },
      [2],
      standardize(floatOf(node, 'epsilon', 1e-5)),
    );
    const perChannel = (t: Tensor, c: number) =>
      at(t.data, t.data.length === channels ? c : Math.floor((c * groups) / channels));
    const normal = { dims: x.dims, data: y.data };
    return [
      generate(x.dims, (index) => {
        const c = at(index, 1);
        return get(normal, index) * perChannel(scale, c) + perChannel(bias, c);
      }),
    ];
  },
  InstanceNormalization: (node, inputs) => {
    const [x, scale, bias] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const axes = count(x.dims.length).slice(2);
    const normal = alongAxes(x, axes, standardize(floatOf(node, 'epsilon', 1e-5)));
    return [
      generate(x.dims, (index) => {
        const c = at(index, 1);
        return get(normal, index) * at(scale.data, c) + at(bias.data, c);
      }),
    ];
  },
  LRN: (node, [x]) => {
    const input = need([x], 0);
    const width = intOf(node, 'size', 1);
    const channels = at(input.dims, 1);
    return [
      generate(input.dims, (index) => {
        const c = at(index, 1);
        const last = Math.min(channels - 1, c + Math.ceil((width - 1) / 2));
        let squares = 0;
        for (let i = Math.max(0, c - Math.floor((width - 1) / 2)); i <= last; i++) {
          squares += get(input, [at(index, 0), i, ...index.slice(2)]) ** 2;
        }
        const alpha = floatOf(node, 'alpha', 1e-4) / width;
        const s = floatOf(node, 'bias', 1) + alpha * squares;
        return get(input, index) / s ** floatOf(node, 'beta', 0.75);
      }),
    ];
  },
  LpNormalization: (node, [x]) => {
    const input = need([x], 0);
    const p = intOf(node, 'p', 2);
    return [
      alongAxes(input, [positive(intOf(node, 'axis', -1), input.dims.length)], (list) => {
        const norm = list.reduce((sum, v) => sum + Math.abs(v) ** p, 0) ** (1 / p);
        return list.map((v) => (norm === 0 ? 0 : v / norm));
      }),
    ];
  },
  MeanVarianceNormalization: (node, [x]) => {
    const input = need([x], 0);
    const axes = (intsOf(node, 'axes') ?? [0, 2, 3]).map((a) => positive(a, input.dims.length));
    return [
      alongAxes(input, axes, (list) => {
        const { mean, variance } = moments(list);
        return list.map((v) => (v - mean) / (Math.sqrt(variance) + 1e-9));
      }),
    ];
  },
  RMSNormalization: (node, inputs) => {
    const [x, scale] = [need(inputs, 0), need(inputs, 1)];
    const axes = count(x.dims.length).slice(positive(intOf(node, 'axis', -1), x.dims.length));
    const normal = alongAxes(x, axes, (list) => {
      const square = list.reduce((sum, v) => sum + v * v, 0) / list.length;
      return list.map((v) => v / Math.sqrt(square + floatOf(node, 'epsilon', 1e-5)));
    });
    return [generate(x.dims, (index) => get(normal, index) * getBroadcast(scale, index))];
  },
};
