/** Convolution and pooling in any number of spatial dimensions. */
import { intOf, intsOf, stringOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { count, type Kernels, need } from './kernel.js';
import { at, generate, get, indices, offset, type Tensor, zeros } from './tensor.js';

interface Geometry {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

export function geometry(
  node: Node,
  kernel: readonly number[],
  spatial: readonly number[],
): Geometry {
  const rank = kernel.length;
  const strides = intsOf(node, 'strides') ?? kernel.map(() => 1);
  const dilations = intsOf(node, 'dilations') ?? kernel.map(() => 1);
  const mode = stringOf(node, 'auto_pad', 'NOTSET');
  if (mode === 'NOTSET') {
    const pads = intsOf(node, 'pads') ?? new Array<number>(2 * rank).fill(0);
    return { kernel, strides, dilations, begin: pads.slice(0, rank), end: pads.slice(rank) };
  }
  const total = kernel.map((k, i) => {
    if (mode === 'VALID') return 0;
    const [stride, length] = [at(strides, i), at(spatial, i)];
    const extent = (k - 1) * at(dilations, i) + 1;
    return Math.max(0, (Math.ceil(length / stride) - 1) * stride + extent - length);
  });
  const less = total.map((t) => Math.floor(t / 2));
  const more = total.map((t, i) => t - at(less, i));
  const [begin, end] = mode === 'SAME_LOWER' ? [more, less] : [less, more];
  return { kernel, strides, dilations, begin, end };
}

/** Number of window positions along each axis. */
function positions(g: Geometry, spatial: readonly number[], ceil: boolean): number[] {
  return spatial.map((length, i) => {
    const padded = length + at(g.begin, i) + at(g.end, i);
    const room = padded - (at(g.kernel, i) - 1) * at(g.dilations, i) - 1;
    const steps = room / at(g.strides, i);
    const n = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    // A last window that would begin in the padding at the end does not count.
    return ceil && (n - 1) * at(g.strides, i) >= length + at(g.begin, i) ? n - 1 : n;
  });
}

/** Position in the image of one tap of one window. */
export function tapAt(g: Geometry, position: readonly number[], tap: readonly number[]): number[] {
  return tap.map(
    (k, i) => at(position, i) * at(g.strides, i) - at(g.begin, i) + k * at(g.dilations, i),
  );
}

export function inside(place: readonly number[], spatial: readonly number[]): boolean {
  return place.every((p, i) => p >= 0 && p < at(spatial, i));
}

export function conv(node: Node, x: Tensor, w: Tensor, bias: Tensor | undefined): Tensor {
  const spatial = x.dims.slice(2);
  const [outputs, perGroup, ...kernel] = w.dims as [number, number, ...number[]];
  const g = geometry(node, kernel, spatial);
  const outPerGroup = outputs / intOf(node, 'group', 1);
  const dims = [at(x.dims, 0), outputs, ...positions(g, spatial, false)];
  return generate(dims, ([n = 0, o = 0, ...position]) => {
    let sum = bias === undefined ? 0 : at(bias.data, o);
    const first = Math.floor(o / outPerGroup) * perGroup;
    for (const tap of indices(kernel)) {
      const place = tapAt(g, position, tap);
      if (!inside(place, spatial)) continue;
      for (let i = 0; i < perGroup; i++) {
        sum += get(x, [n, first + i, ...place]) * get(w, [o, i, ...tap]);
      }
    }
    return sum;
  });
}

function withoutAutoPad({ attributes }: Node): Node['attributes'] {
  const { auto_pad: mode, ...rest } = attributes;
  const isExplicit = mode?.kind !== 'string' || mode.value === 'NOTSET';
  return isExplicit ? rest : Object.fromEntries(Object.entries(rest).filter(([k]) => k !== 'pads'));
}

function convTranspose(node: Node, x: Tensor, w: Tensor, bias: Tensor | undefined): Tensor {
  const small = x.dims.slice(2);
  const [inputs, perGroup, ...kernel] = w.dims as [number, number, ...number[]];
  const groups = intOf(node, 'group', 1);
  const extra = intsOf(node, 'output_padding') ?? kernel.map(() => 0);
  const plain = geometry({ ...node, attributes: withoutAutoPad(node) }, kernel, small);
  const full = small.map(
    (length, i) =>
      (length - 1) * at(plain.strides, i) +
      at(extra, i) +
      (at(kernel, i) - 1) * at(plain.dilations, i) +
      1,
  );
  const mode = stringOf(node, 'auto_pad', 'NOTSET');
  const stated =
    intsOf(node, 'output_shape')?.slice(-kernel.length) ??
    (mode.startsWith('SAME') ? small.map((length, i) => length * at(plain.strides, i)) : undefined);
  const large = stated ?? full.map((length, i) => length - at(plain.begin, i) - at(plain.end, i));
  const begin = large.map((length, i) => {
    if (stated === undefined) return at(plain.begin, i);
    const cut = Math.max(0, at(full, i) - length);
    return mode === 'SAME_UPPER' ? Math.floor(cut / 2) : cut - Math.floor(cut / 2);
  });
  const g = { ...plain, begin };
  const y = zeros([at(x.dims, 0), perGroup * groups, ...large]);
  for (const [n = 0, c = 0, ...position] of indices(x.dims)) {
    const first = Math.floor(c / (inputs / groups)) * perGroup;
    for (const tap of indices(kernel)) {
      const place = tapAt(g, position, tap);
      if (!inside(place, large)) continue;
      for (let o = 0; o < perGroup; o++) {
        const target = offset(y.dims, [n, first + o, ...place]);
        y.data[target] = at(y.data, target) + get(x, [n, c, ...position]) * get(w, [c, o, ...tap]);
      }
    }
  }
  if (bias === undefined) return y;
  return generate(y.dims, (index) => get(y, index) + at(bias.data, at(index, 1)));
}

/** Place in the flat tensor; by column, the spatial axes count from the first one up. */
function flatPlace(dims: readonly number[], index: readonly number[], byColumn: boolean): number {
  if (!byColumn) return offset(dims, index);
  const reversed = (list: readonly number[]) => [...list.slice(0, 2), ...list.slice(2).reverse()];
  return offset(reversed(dims), reversed(index));
}

function maxPool(node: Node, x: Tensor): Tensor[] {
  const spatial = x.dims.slice(2);
  const g = geometry(node, intsOf(node, 'kernel_shape') ?? [], spatial);
  const dims = [...x.dims.slice(0, 2), ...positions(g, spatial, intOf(node, 'ceil_mode', 0) === 1)];
  const picked = zeros(dims);
  const byColumn = intOf(node, 'storage_order', 0) === 1;
  const values = generate(dims, (index) => {
    const [n = 0, c = 0, ...position] = index;
    let best = Number.NEGATIVE_INFINITY;
    for (const tap of indices(g.kernel)) {
      const place = tapAt(g, position, tap);
      if (!inside(place, spatial) || get(x, [n, c, ...place]) <= best) continue;
      best = get(x, [n, c, ...place]);
      picked.data[offset(dims, index)] = flatPlace(x.dims, [n, c, ...place], byColumn);
    }
    return best;
  });
  return [values, picked];
}

function averagePool(node: Node, x: Tensor): Tensor {
  const spatial = x.dims.slice(2);
  const g = geometry(node, intsOf(node, 'kernel_shape') ?? [], spatial);
  const dims = [...x.dims.slice(0, 2), ...positions(g, spatial, intOf(node, 'ceil_mode', 0) === 1)];
  const padded = intOf(node, 'count_include_pad', 0) === 1;
  return generate(dims, ([n = 0, c = 0, ...position]) => {
    let sum = 0;
    let counted = 0;
    for (const tap of indices(g.kernel)) {
      const place = tapAt(g, position, tap);
      const real = inside(place, spatial);
      const shifted = place.map((p, i) => p + at(g.begin, i));
      const extent = count(spatial.length).map(
        (i) => at(spatial, i) + at(g.begin, i) + at(g.end, i),
      );
      if (real) sum += get(x, [n, c, ...place]);
      if (real || (padded && inside(shifted, extent))) counted++;
    }
    return sum / counted;
  });
}

function lpPool(node: Node, x: Tensor): Tensor {
  const spatial = x.dims.slice(2);
  const g = geometry(node, intsOf(node, 'kernel_shape') ?? [], spatial);
  const p = intOf(node, 'p', 2);
  const dims = [...x.dims.slice(0, 2), ...positions(g, spatial, intOf(node, 'ceil_mode', 0) === 1)];
  return generate(dims, ([n = 0, c = 0, ...position]) => {
    let sum = 0;
    for (const tap of indices(g.kernel)) {
      const place = tapAt(g, position, tap);
      if (inside(place, spatial)) sum += Math.abs(get(x, [n, c, ...place])) ** p;
    }
    return sum ** (1 / p);
  });
}

export const sliding: Kernels = {
  AveragePool: (node, inputs) => [averagePool(node, need(inputs, 0))],
  Conv: (node, inputs) => [conv(node, need(inputs, 0), need(inputs, 1), inputs[2])],
  ConvTranspose: (node, inputs) => [
    convTranspose(node, need(inputs, 0), need(inputs, 1), inputs[2]),
  ],
  GlobalLpPool: (node, inputs) => {
    const x = need(inputs, 0);
    const p = intOf(node, 'p', 2);
    const whole = generate([...x.dims.slice(0, 2), ...x.dims.slice(2).map(() => 1)], ([n, c]) => {
      let sum = 0;
      for (const place of indices(x.dims.slice(2))) {
        sum += Math.abs(get(x, [n as number, c as number, ...place])) ** p;
      }
      return sum ** (1 / p);
    });
    return [whole];
  },
  LpPool: (node, inputs) => [lpPool(node, need(inputs, 0))],
  MaxPool: (node, inputs) => maxPool(node, need(inputs, 0)),
};
