/** Picking and placing by index. */
import { intOf, stringOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { type Kernels, need, positive } from './kernel.js';
import {
  at,
  generate,
  get,
  indices,
  offset,
  reshape,
  type Tensor,
  tensor,
  zeros,
} from './tensor.js';

type Fold = (old: number, update: number) => number;

const folds: Readonly<Record<string, Fold>> = {
  none: (_, update) => update,
  add: (old, update) => old + update,
  mul: (old, update) => old * update,
  max: Math.max,
  min: Math.min,
};

function foldOf(node: Node): Fold {
  const fold = folds[stringOf(node, 'reduction', 'none')];
  if (fold === undefined) throw new Error(`${node.op}: unknown reduction`);
  return fold;
}

function scatterElements(node: Node, data: Tensor, picks: Tensor, updates: Tensor): Tensor {
  const axis = positive(intOf(node, 'axis', 0), data.dims.length);
  const fold = foldOf(node);
  const result = tensor(data.dims, data.data);
  for (const index of indices(picks.dims)) {
    const to = index.with(axis, positive(get(picks, index), at(data.dims, axis)));
    const place = offset(data.dims, to);
    result.data[place] = fold(at(result.data, place), get(updates, index));
  }
  return result;
}

/** The index tuple at `index` of a tensor of tuples, counted from the front. */
function tupleAt(picks: Tensor, index: readonly number[], sizes: readonly number[]): number[] {
  const depth = at(picks.dims, picks.dims.length - 1);
  return Array.from({ length: depth }, (_, i) => positive(get(picks, [...index, i]), at(sizes, i)));
}

function gatherND(data: Tensor, picks: Tensor, batch: number): Tensor {
  const depth = at(picks.dims, picks.dims.length - 1);
  const lead = picks.dims.slice(0, -1);
  const rest = data.dims.slice(batch + depth);
  return generate([...lead, ...rest], (index) => {
    const tuple = tupleAt(picks, index.slice(0, lead.length), data.dims.slice(batch));
    return get(data, [...index.slice(0, batch), ...tuple, ...index.slice(lead.length)]);
  });
}

function scatterND(node: Node, data: Tensor, picks: Tensor, updates: Tensor): Tensor {
  const fold = foldOf(node);
  const lead = picks.dims.length - 1;
  const result = tensor(data.dims, data.data);
  for (const index of indices(updates.dims)) {
    const tuple = tupleAt(picks, index.slice(0, lead), data.dims);
    const place = offset(data.dims, [...tuple, ...index.slice(lead)]);
    result.data[place] = fold(at(result.data, place), get(updates, index));
  }
  return result;
}

function tensorScatter(node: Node, cache: Tensor, update: Tensor, starts?: Tensor): Tensor {
  const axis = positive(intOf(node, 'axis', -2), cache.dims.length);
  const circular = stringOf(node, 'mode', 'linear') === 'circular';
  const length = at(cache.dims, axis);
  const result = tensor(cache.dims, cache.data);
  for (const index of indices(update.dims)) {
    const start = starts === undefined ? 0 : at(starts.data, at(index, 0));
    const place = start + at(index, axis);
    const to = index.with(axis, circular ? place % length : place);
    result.data[offset(cache.dims, to)] = get(update, index);
  }
  return result;
}

function compress(node: Node, x: Tensor, condition: Tensor): Tensor {
  const listed = node.attributes.axis !== undefined;
  const data = listed ? x : reshape(x, [x.data.length]);
  const axis = listed ? positive(intOf(node, 'axis', 0), x.dims.length) : 0;
  const kept = Array.from(condition.data.keys()).filter((i) => at(condition.data, i) !== 0);
  return generate(data.dims.with(axis, kept.length), (index) =>
    get(data, index.with(axis, at(kept, at(index, axis)))),
  );
}

function reverseSequence(node: Node, x: Tensor, lengths: Tensor): Tensor {
  const [batch, time] = [intOf(node, 'batch_axis', 1), intOf(node, 'time_axis', 0)];
  return generate(x.dims, (index) => {
    const length = at(lengths.data, at(index, batch));
    const t = at(index, time);
    return get(x, index.with(time, t < length ? length - 1 - t : t));
  });
}

function topK(node: Node, x: Tensor, k: number): Tensor[] {
  const axis = positive(intOf(node, 'axis', -1), x.dims.length);
  const sign = intOf(node, 'largest', 1) === 1 ? -1 : 1;
  const places = zeros(x.dims.with(axis, k));
  for (const index of indices(x.dims.with(axis, 1))) {
    const order = Array.from({ length: at(x.dims, axis) }, (_, i) => i).sort((a, b) => {
      const difference = get(x, index.with(axis, a)) - get(x, index.with(axis, b));
      return difference === 0 ? a - b : sign * difference;
    });
    for (let i = 0; i < k; i++)
      places.data[offset(places.dims, index.with(axis, i))] = at(order, i);
  }
  const values = generate(places.dims, (index) => get(x, index.with(axis, get(places, index))));
  return [values, places];
}

function unique(node: Node, x: Tensor): Tensor[] {
  const listed = node.attributes.axis !== undefined;
  const data = listed ? x : reshape(x, [x.data.length]);
  const axis = listed ? positive(intOf(node, 'axis', 0), x.dims.length) : 0;
  const others = data.dims.with(axis, 1);
  const slices = Array.from({ length: at(data.dims, axis) }, (_, i) =>
    Array.from(indices(others), (index) => get(data, index.with(axis, i))),
  );
  const firsts: number[] = [];
  const counts: number[] = [];
  const inverse = slices.map((slice, i) => {
    const known = firsts.findIndex((first) => `${slices[first]}` === `${slice}`);
    if (known >= 0) counts[known] = at(counts, known) + 1;
    else counts[firsts.push(i) - 1] = 1;
    return known >= 0 ? known : firsts.length - 1;
  });
  const order = firsts.map((_, i) => i);
  const compare = (a: readonly number[], b: readonly number[]) => {
    const i = a.findIndex((value, n) => value !== b[n]);
    return i < 0 ? 0 : at(a, i) - at(b, i);
  };
  if (intOf(node, 'sorted', 1) === 1) {
    order.sort((a, b) => compare(slices[at(firsts, a)] ?? [], slices[at(firsts, b)] ?? []));
  }
  const kept = order.map((i) => at(firsts, i));
  const list = (values: readonly number[]) => tensor([values.length], values);
  return [
    generate(data.dims.with(axis, kept.length), (index) =>
      get(data, index.with(axis, at(kept, at(index, axis)))),
    ),
    list(kept),
    list(inverse.map((i) => order.indexOf(i))),
    list(order.map((i) => at(counts, i))),
  ];
}

function nonZero(x: Tensor): Tensor {
  const found = Array.from(indices(x.dims)).filter((index) => get(x, index) !== 0);
  return generate([x.dims.length, found.length], ([axis = 0, i = 0]) => at(found[i] ?? [], axis));
}

function trilu(node: Node, x: Tensor, diagonal: number): Tensor {
  const upper = intOf(node, 'upper', 1) === 1;
  const rank = x.dims.length;
  return generate(x.dims, (index) => {
    const above = at(index, rank - 1) - at(index, rank - 2) - diagonal;
    return (upper ? above >= 0 : above <= 0) ? get(x, index) : 0;
  });
}

export const gather: Kernels = {
  Compress: (node, inputs) => [compress(node, need(inputs, 0), need(inputs, 1))],
  GatherElements: (node, inputs) => {
    const [x, picks] = [need(inputs, 0), need(inputs, 1)];
    const axis = positive(intOf(node, 'axis', 0), x.dims.length);
    return [
      generate(picks.dims, (index) =>
        get(x, index.with(axis, positive(get(picks, index), at(x.dims, axis)))),
      ),
    ];
  },
  GatherND: (node, inputs) => [
    gatherND(need(inputs, 0), need(inputs, 1), intOf(node, 'batch_dims', 0)),
  ],
  NonZero: (_, inputs) => [nonZero(need(inputs, 0))],
  ReverseSequence: (node, inputs) => [reverseSequence(node, need(inputs, 0), need(inputs, 1))],
  Scatter: (node, inputs) => [
    scatterElements(node, need(inputs, 0), need(inputs, 1), need(inputs, 2)),
  ],
  ScatterElements: (node, inputs) => [
    scatterElements(node, need(inputs, 0), need(inputs, 1), need(inputs, 2)),
  ],
  ScatterND: (node, inputs) => [scatterND(node, need(inputs, 0), need(inputs, 1), need(inputs, 2))],
  TensorScatter: (node, inputs) => [
    tensorScatter(node, need(inputs, 0), need(inputs, 1), inputs[2]),
  ],
  TopK: (node, inputs) =>
    topK(
      node,
      need(inputs, 0),
      inputs[1] === undefined ? intOf(node, 'k', 1) : at(inputs[1].data, 0),
    ),
  Trilu: (node, inputs) => [trilu(node, need(inputs, 0), inputs[1]?.data[0] ?? 0)],
  Unique: (node, inputs) => unique(node, need(inputs, 0)),
};
