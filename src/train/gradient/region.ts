/** RoiAlign: regions cut out of feature maps at places between their elements. */
import { floatOf, intOf, stringOf } from '../../ir/attributes.js';
import type { NodeContext } from './node-context.js';
import { type Expansion, range } from './rule.js';
import { cast, clip, floor, rowsOf, type Tap, weighedRows } from './sample.js';

/** One axis of all regions. */
interface Axis {
  /** Elements of the feature map. */
  readonly length: number;
  /** Bins per region. */
  readonly bins: number;
  /** First place and size of a bin, [R,1]. */
  readonly start: string;
  readonly bin: string;
}

export const roiAlign: Expansion = {
  expand: (c) => {
    const samples = intOf(c.node, 'sampling_ratio', 0);
    if (samples <= 0) {
      throw c.refuse(
        'sampling_ratio 0 lets the regions decide how many samples are taken; set one',
      );
    }
    const [, , height, width] = c.dims(c.x()) as [number, number, number, number];
    const y = axisOf(c, 1, height, intOf(c.node, 'output_height', 1));
    const x = axisOf(c, 0, width, intOf(c.node, 'output_width', 1));
    const mode = stringOf(c.node, 'mode', 'avg');
    if (mode !== 'avg' && mode !== 'max')
      throw c.refuse(`mode expected avg or max, received ${mode}`);
    return [mode === 'avg' ? average(c, y, x, samples) : largest(c, y, x, samples)];
  },
};

/** The axis whose ends are in columns `column` and `column` + 2 of the regions. */
function axisOf(c: NodeContext, column: number, length: number, bins: number): Axis {
  const isHalf = stringOf(c.node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel';
  const [start, end] = [column, column + 2].map((at) => {
    const scaled = c.scale(
      c.slice(c.x(1), [1], [at], [at + 1]),
      floatOf(c.node, 'spatial_scale', 1),
    );
    return isHalf ? c.sub(scaled, c.scalar(0.5)) : scaled;
  }) as [string, string];
  const extent = c.sub(end, start);
  const size = isHalf ? extent : c.op('Max', [extent, c.scalar(1)]);
  return { length, bins, start, bin: c.scale(size, 1 / bins) };
}

/** Places of sample `s` of every bin, or of all samples of every bin: [R, bins·samples]. */
function placesOf(c: NodeContext, axis: Axis, samples: readonly number[], count: number): string {
  const parts = range(axis.bins).flatMap((bin) => samples.map((s) => bin + (s + 0.5) / count));
  return c.add(axis.start, c.mul(axis.bin, c.tensor([1, parts.length], parts)));
}

/** Places more than one element outside see nothing. */
function isSeen(c: NodeContext, place: string, length: number): string {
  const low = c.op('GreaterOrEqual', [place, c.scalar(-1)]);
  return c.op('And', [low, c.op('LessOrEqual', [place, c.scalar(length)])]);
}

/** Interpolation is separable: weights [R,bins,length] of rows times map times weights of columns. */
function average(c: NodeContext, y: Axis, x: Axis, samples: number): string {
  const maps = c.op('Gather', [c.x(), c.x(2)], { axis: 0 });
  const [regions] = c.dims(maps) as [number];
  const weights = ({ length, bins, ...axis }: Axis) => {
    const place = placesOf(c, { length, bins, ...axis }, range(samples), samples);
    const column = (value: string) => c.reshape(value, [regions, bins * samples, 1]);
    const elements = c.tensor([1, 1, length], range(length));
    const distance = c.op('Abs', [c.sub(column(clip(c, place, 0, length - 1)), elements)]);
    const hat = c.op('Relu', [c.sub(c.scalar(1), distance)]);
    const seen = c.where(column(isSeen(c, place, length)), hat, c.scalar(0));
    const perBin = c.reduceSum(c.reshape(seen, [regions, bins, samples, length]), [2]);
    return c.reshape(c.scale(perBin, 1 / samples), [regions, 1, bins, length]);
  };
  const rows = c.op('MatMul', [weights(y), maps]);
  return c.op('MatMul', [rows, c.transpose(weights(x), [0, 1, 3, 2])]);
}

/** The largest of all weighed elements around all samples of a bin (as the specification has it). */
function largest(c: NodeContext, y: Axis, x: Axis, samples: number): string {
  const rows = rowsOf(c, c.x());
  const [regions] = c.dims(c.x(1)) as [number];
  const first = c.scale(c.reshape(c.x(2), [regions, 1, 1]), y.length * x.length);
  const tapsOf = (axis: Axis, s: number, dims: readonly number[]): Tap[] => {
    const place = placesOf(c, axis, [s], samples);
    const within = clip(c, place, 0, axis.length - 1);
    const base = floor(c, within);
    const part = c.sub(within, base);
    const seen = isSeen(c, place, axis.length);
    return [c.sub(c.scalar(1), part), part].map((weight, k) => {
      const at = k === 0 ? base : clip(c, c.add(base, c.scalar(1)), 0, axis.length - 1);
      return {
        index: c.reshape(cast(c, at, 7), dims),
        weight: c.reshape(c.where(seen, weight, c.scalar(0)), dims),
      };
    });
  };
  const terms = range(samples).flatMap((sy) =>
    range(samples).flatMap((sx) =>
      weighedRows(
        c,
        rows,
        first,
        [y.length, x.length],
        [tapsOf(y, sy, [regions, y.bins, 1]), tapsOf(x, sx, [regions, 1, x.bins])],
      ),
    ),
  );
  return c.transpose(c.op('Max', terms), [0, 3, 1, 2]);
}
