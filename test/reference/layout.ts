import { floatOf, intOf, intsOf, stringOf, tensorOf } from '../../src/ir/attributes.js';
import { count, integers, type Kernels, need, positive } from './kernel.js';
import { fromHost } from './stored.js';
import {
  at,
  broadcastDims,
  generate,
  get,
  getBroadcast,
  reshape,
  scalar,
  size,
  type Tensor,
  tensor,
  transpose,
} from './tensor.js';

/** A copy with `index[axis]` replaced. */
function moved(index: readonly number[], axis: number, value: number): number[] {
  return index.map((n, i) => (i === axis ? value : n));
}

function concat(parts: readonly Tensor[], rawAxis: number): Tensor {
  const [first] = parts as [Tensor, ...Tensor[]];
  const axis = positive(rawAxis, first.dims.length);
  const total = parts.reduce((sum, part) => sum + at(part.dims, axis), 0);
  return generate(moved(first.dims, axis, total), (index) => {
    let place = at(index, axis);
    for (const part of parts) {
      if (place < at(part.dims, axis)) return get(part, moved(index, axis, place));
      place -= at(part.dims, axis);
    }
    throw new RangeError('outside all parts');
  });
}

/** The first element taken, how many, and the step, by the rules of Slice. */
function sliced(length: number, start: number, end: number, step: number) {
  const clamp = (n: number, low: number, high: number) => Math.min(Math.max(n, low), high);
  const from = start < 0 ? start + length : start;
  const to = end < 0 ? end + length : end;
  const first = step > 0 ? clamp(from, 0, length) : clamp(from, 0, length - 1);
  const last = step > 0 ? clamp(to, 0, length) : clamp(to, -1, length - 1);
  return { first, step, taken: Math.max(0, Math.ceil((last - first) / step)) };
}

/** The element at `place` of those from `low` to before `high`, by the modes of Pad. */
function bordered(place: number, low: number, high: number, mode: string): number {
  let found = place;
  const length = high - low;
  if (mode === 'edge') return Math.min(Math.max(place, low), high - 1);
  while (mode === 'wrap' && found < low) found += length;
  while (mode === 'wrap' && found >= high) found -= length;
  if (mode === 'reflect' && length === 1) return low;
  while (mode === 'reflect' && (found < low || found >= high)) {
    found = found < low ? 2 * low - found : 2 * (high - 1) - found;
  }
  return found;
}

export const layout: Kernels = {
  Concat: (node, inputs) => [concat(inputs as Tensor[], intOf(node, 'axis', 0))],
  Constant: (node) => {
    const value = tensorOf(node, 'value');
    if (value !== undefined) return [fromHost(value)];
    const { value_float, value_floats, value_int, value_ints } = node.attributes;
    const given = value_float ?? value_floats ?? value_int ?? value_ints;
    if (given?.kind === 'float') return [scalar(given.value)];
    if (given?.kind === 'floats') return [tensor([given.value.length], given.value)];
    if (given?.kind === 'int') return [{ ...scalar(given.value), dtype: 'int64' }];
    if (given?.kind !== 'ints') throw new Error(`Constant of ${Object.keys(node.attributes)}`);
    return [{ ...tensor([given.value.length], given.value), dtype: 'int64' }];
  },
  ConstantOfShape: (node, inputs) => {
    const stored = tensorOf(node, 'value');
    const { data, dtype } = stored === undefined ? scalar(0) : fromHost(stored);
    const filled = generate(Array.from(need(inputs, 0).data), () => at(data, 0));
    return [dtype === undefined ? filled : { ...filled, dtype }];
  },
  Expand: (_, inputs) => {
    const x = need(inputs, 0);
    const dims = broadcastDims([x.dims, Array.from(need(inputs, 1).data)]);
    return [generate(dims, (index) => getBroadcast(x, index))];
  },
  Flatten: (node, inputs) => {
    const x = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', 1), x.dims.length);
    return [reshape(x, [size(x.dims.slice(0, axis)), size(x.dims.slice(axis))])];
  },
  Gather: (node, inputs) => {
    const [x, picks] = [need(inputs, 0), need(inputs, 1)];
    const axis = positive(intOf(node, 'axis', 0), x.dims.length);
    const dims = [...x.dims.slice(0, axis), ...picks.dims, ...x.dims.slice(axis + 1)];
    return [
      generate(dims, (index) => {
        const pick = get(picks, index.slice(axis, axis + picks.dims.length));
        const rest = index.slice(axis + picks.dims.length);
        return get(x, [...index.slice(0, axis), positive(pick, at(x.dims, axis)), ...rest]);
      }),
    ];
  },
  OneHot: (node, inputs) => {
    const [picks, depth, values] = [need(inputs, 0), need(inputs, 1), need(inputs, 2)];
    const classes = Math.trunc(at(depth.data, 0));
    const axis = positive(intOf(node, 'axis', -1), picks.dims.length + 1);
    return [
      generate(picks.dims.toSpliced(axis, 0, classes), (index) => {
        const pick = Math.trunc(get(picks, index.toSpliced(axis, 1)));
        return at(values.data, positive(pick, classes) === index[axis] ? 1 : 0);
      }),
    ];
  },
  Pad: (node, inputs) => {
    const x = need(inputs, 0);
    const rank = x.dims.length;
    const pads = integers(node, 'pads', inputs[1]) ?? [];
    const value = inputs[2]?.data[0] ?? floatOf(node, 'value', 0);
    const axes = inputs[3] === undefined ? count(rank) : Array.from(inputs[3].data);
    const mode = stringOf(node, 'mode', 'constant');
    const begin = x.dims.map(() => 0);
    const end = x.dims.map(() => 0);
    axes.forEach((axis, i) => {
      begin[positive(axis, rank)] = at(pads, i);
      end[positive(axis, rank)] = at(pads, i + axes.length);
    });
    const dims = x.dims.map((d, i) => d + at(begin, i) + at(end, i));
    return [
      generate(dims, (index) => {
        const from = index.map((n, i) => {
          // What is cut off is no part of what is mirrored or repeated.
          const low = Math.max(0, -at(begin, i));
          const high = at(x.dims, i) - Math.max(0, -at(end, i));
          return bordered(n - at(begin, i), low, high, mode);
        });
        return from.every((n, i) => n >= 0 && n < at(x.dims, i)) ? get(x, from) : value;
      }),
    ];
  },
  Reshape: (_, inputs) => {
    const x = need(inputs, 0);
    const wanted = Array.from(need(inputs, 1).data, (d, i) => (d === 0 ? at(x.dims, i) : d));
    const known = wanted.filter((d) => d !== -1);
    return [
      reshape(
        x,
        wanted.map((d) => (d === -1 ? x.data.length / size(known) : d)),
      ),
    ];
  },
  Shape: (node, inputs) => {
    const { dims } = need(inputs, 0);
    const listed = dims.slice(intOf(node, 'start', 0), intOf(node, 'end', dims.length));
    return [tensor([listed.length], listed)];
  },
  Slice: (node, inputs) => {
    const x = need(inputs, 0);
    const starts = integers(node, 'starts', inputs[1]) ?? [];
    const ends = integers(node, 'ends', inputs[2]) ?? [];
    const axes = integers(node, 'axes', inputs[3]) ?? count(starts.length);
    const ranges = x.dims.map((d) => ({ first: 0, step: 1, taken: d }));
    axes.forEach((axis, i) => {
      const place = positive(axis, x.dims.length);
      const step = inputs[4]?.data[i] ?? 1;
      ranges[place] = sliced(at(x.dims, place), at(starts, i), at(ends, i), step);
    });
    return [
      generate(
        ranges.map((r) => r.taken),
        (index) =>
          get(
            x,
            ranges.map((r, i) => r.first + r.step * at(index, i)),
          ),
      ),
    ];
  },
  Split: (node, inputs) => {
    const x = need(inputs, 0);
    const axis = positive(intOf(node, 'axis', 0), x.dims.length);
    const parts = node.outputs.length;
    const part = Math.ceil(at(x.dims, axis) / parts);
    const equal = count(parts).map((i) => Math.min(part, at(x.dims, axis) - i * part));
    let start = 0;
    return (integers(node, 'split', inputs[1]) ?? equal).map((length) => {
      const from = start;
      start += length;
      return generate(moved(x.dims, axis, length), (index) =>
        get(x, moved(index, axis, at(index, axis) + from)),
      );
    });
  },
  Squeeze: (node, inputs) => {
    const x = need(inputs, 0);
    const axes = integers(node, 'axes', inputs[1])?.map((a) => positive(a, x.dims.length));
    return [
      reshape(
        x,
        x.dims.filter((d, i) => (axes === undefined ? d !== 1 : !axes.includes(i))),
      ),
    ];
  },
  Tile: (_, inputs) => {
    const x = need(inputs, 0);
    const repeats = need(inputs, 1).data;
    return [
      generate(
        x.dims.map((d, i) => d * at(repeats, i)),
        (index) =>
          get(
            x,
            index.map((n, i) => n % at(x.dims, i)),
          ),
      ),
    ];
  },
  Transpose: (node, inputs) => {
    const x = need(inputs, 0);
    return [transpose(x, intsOf(node, 'perm') ?? count(x.dims.length).reverse())];
  },
  Unsqueeze: (node, inputs) => {
    const x = need(inputs, 0);
    const listed = integers(node, 'axes', inputs[1]) ?? [];
    const rank = x.dims.length + listed.length;
    const axes = listed.map((axis) => positive(axis, rank));
    const rest = [...x.dims];
    return [
      reshape(
        x,
        count(rank).map((i) => (axes.includes(i) ? 1 : (rest.shift() as number))),
      ),
    ];
  },
};
