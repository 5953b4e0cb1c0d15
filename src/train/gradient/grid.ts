/** GridSample and AffineGrid: spatial transformers. */
import { intOf, stringOf } from '../../ir/attributes.js';
import { elementCount } from '../../util/tensor.js';
import type { NodeContext } from './node-context.js';
import { type Expansion, range } from './rule.js';
import { countBy, rowsOf, type Sampling, tapsOf, total, weighedRows } from './sample.js';

/** Names of the modes before opset 20 and since. */
const modes: Readonly<Record<string, Sampling['mode']>> = {
  bilinear: 'linear',
  linear: 'linear',
  bicubic: 'cubic',
  cubic: 'cubic',
  nearest: 'nearest',
};

export const gridSample: Expansion = {
  expand: (c) => {
    const [n, channels, ...spatial] = c.dims(c.x()) as [number, number, ...number[]];
    const out = c.dims(c.x(1)).slice(1, -1);
    const places = elementCount(out);
    const sampling = samplingOf(c);
    const rank = spatial.length;
    const axes = spatial.map((length, axis) => {
      // The grid's last axis names the image's last axis first.
      const at = rank - 1 - axis;
      const place = c.reshape(c.slice(c.x(1), [rank + 1], [at], [at + 1]), [n, places]);
      return tapsOf(c, elementsOf(c, place, length, sampling.alignCorners), length, sampling);
    });
    const first = countBy(c, [n, 1], elementCount(spatial));
    const rows = total(c, weighedRows(c, rowsOf(c, c.x()), first, spatial, axes));
    return [c.reshape(c.transpose(rows, [0, 2, 1]), [n, channels, ...out])];
  },
};

function samplingOf(c: NodeContext): Sampling {
  const mode = modes[stringOf(c.node, 'mode', 'linear')];
  const padding = stringOf(c.node, 'padding_mode', 'zeros');
  if (mode === undefined) throw c.refuse('mode expected linear, nearest or cubic');
  if (padding !== 'zeros' && padding !== 'border' && padding !== 'reflection') {
    throw c.refuse(`padding_mode expected zeros, border or reflection, received ${padding}`);
  }
  return { mode, padding, alignCorners: intOf(c.node, 'align_corners', 0) === 1 };
}

/** From −1 … 1 to elements of an axis. */
function elementsOf(c: NodeContext, place: string, length: number, alignCorners: boolean): string {
  const span = (alignCorners ? length - 1 : length) / 2;
  return c.add(c.scale(place, span), c.scalar((length - 1) / 2, place));
}

/** AffineGrid: the constant grid of −1 … 1, times theta. */
export const affineGrid: Expansion = {
  expand: (c) => {
    const [n, , ...spatial] = c.ints('size', 1) ?? [];
    if (n === undefined) throw c.refuse('its size must be constant');
    const rank = spatial.length;
    const count = elementCount(spatial);
    const alignCorners = intOf(c.node, 'align_corners', 0) === 1;
    const data = new Array<number>(count * (rank + 1));
    for (const place of range(count)) {
      let rest = place;
      for (const axis of range(rank).reverse()) {
        const size = spatial[axis] as number;
        data[place * (rank + 1) + rank - 1 - axis] = baseOf(rest % size, size, alignCorners);
        rest = Math.floor(rest / size);
      }
      data[place * (rank + 1) + rank] = 1;
    }
    const base = c.tensor([count, rank + 1], data);
    const grid = c.op('MatMul', [base, c.transpose(c.x(), [0, 2, 1])]);
    return [c.reshape(grid, [n, ...spatial, rank])];
  },
};

/** The i-th of `size` places from −1 to 1: ends included, or the middles of equal parts. */
function baseOf(i: number, size: number, alignCorners: boolean): number {
  if (!alignCorners) return (2 * i + 1) / size - 1;
  return size === 1 ? 0 : (2 * i) / (size - 1) - 1;
}
