/** Pad, in all its modes. */
import { stringOf } from '../../ir/attributes.js';
import { mixAxis, sparseMatrix } from './mix.js';
import { frontAxis, type GradientContext, type GradientRule, range } from './rule.js';

/** Elements put before and after each axis; negative ones are cut off. */
interface Border {
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/**
 * Constant: the seed without its border; what lies on the border belongs to the constant. Other modes
 * copy elements into the border, axis by axis: their seeds are added back to where they came from.
 */
export const pad: GradientRule = (c) => {
  const border = borderOf(c);
  const mode = stringOf(c.node, 'mode', 'constant');
  if (mode === 'constant') {
    const inner = c.pad(
      c.dy,
      [...border.begin, ...border.end].map((p) => -p),
    );
    return c.node.inputs.map((_, i) => {
      if (!c.wants[i]) return undefined;
      if (i === 0) return inner;
      const [all, inside] = [c.dy, inner].map((part) =>
        c.reduceSum(part, range(c.dims(part).length)),
      ) as [string, string];
      return c.reshape(c.sub(all, inside), c.dims(c.x(i)));
    });
  }
  let value = c.dy;
  c.dims(c.x()).forEach((size, axis) => {
    const [begin, end] = [border.begin[axis] as number, border.end[axis] as number];
    if (begin === 0 && end === 0) return;
    const sources = sourcesOf(c, mode, size, begin, end);
    const elements = sources.map((from, to) => [from, to, 1] as const);
    value = mixAxis(c, value, axis, sparseMatrix(size, sources.length, elements));
  });
  return [value];
};

function borderOf(c: GradientContext): Border {
  const rank = c.dims(c.x()).length;
  const listed = c.ints('pads', 1) ?? [];
  const axes = c.hasInput(3) ? (c.ints('axes', 3) ?? []) : range(rank);
  const [begin, end] = [new Array<number>(rank).fill(0), new Array<number>(rank).fill(0)];
  axes.forEach((axis, i) => {
    begin[frontAxis(axis, rank)] = listed[i] as number;
    end[frontAxis(axis, rank)] = listed[i + axes.length] as number;
  });
  return { begin, end };
}

/** Which element of the axis each one of the result is; what is cut off goes before the border. */
function sourcesOf(
  c: GradientContext,
  mode: string,
  size: number,
  begin: number,
  end: number,
): number[] {
  const first = Math.max(0, -begin);
  const length = size - first - Math.max(0, -end);
  return range(size + begin + end).map((p) => {
    const place = p - Math.max(0, begin);
    return first + borderSource(c, mode, place, length);
  });
}

/** The element of an axis of `length` that stands at `place`, which may be outside of it. */
function borderSource(c: GradientContext, mode: string, place: number, length: number): number {
  if (mode === 'edge') return Math.min(Math.max(place, 0), length - 1);
  if (mode === 'wrap') return ((place % length) + length) % length;
  if (mode !== 'reflect') {
    throw c.refuse(`mode expected constant, reflect, edge or wrap, received ${mode}`);
  }
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const within = ((place % period) + period) % period;
  return within < length ? within : period - within;
}
