/**
 * Reading an image between its elements, as a graph of simpler operators: for each axis the elements
 * around a place (taps) and their weights, then rows gathered and weighed. Gradients reach the image
 * through the gather and the places through the weights.
 */
import { elementCount } from '../../util/tensor.js';
import type { NodeContext } from './node-context.js';
import { range } from './node-context.js';

export interface Sampling {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  /** What lies outside. */
  readonly padding: 'zeros' | 'border' | 'reflection';
  /** Whether the image ends in the middle of its outermost elements (for reflection). */
  readonly alignCorners: boolean;
}

/** An element of an axis. */
export interface Tap {
  /** int64, inside the axis. */
  readonly index: string;
  readonly weight: string;
}

/** Rounded down. */
export function floor(c: NodeContext, x: string): string {
  const truncated = cast(c, cast(c, x, INT64), codeOf(c, x));
  return c.sub(truncated, cast(c, c.greater(truncated, x), codeOf(c, x)));
}

const INT64 = 7;
const codes: Readonly<Record<string, number>> = { float32: 1, float16: 10, float64: 11 };

function codeOf(c: NodeContext, like: string): number {
  const { dtype } = c.builder.typeOf(like);
  const code = codes[dtype];
  if (code === undefined) throw c.refuse(`expected a place in floating point, received ${dtype}`);
  return code;
}

export function cast(c: NodeContext, value: string, to: number): string {
  return c.op('Cast', [value], { to });
}

export function clip(c: NodeContext, value: string, low: number, high: number): string {
  return c.op('Clip', [value, c.scalar(low, value), c.scalar(high, value)]);
}

/** The taps of places `x`, counted in elements, on an axis of `length`. */
export function tapsOf(c: NodeContext, x: string, length: number, sampling: Sampling): Tap[] {
  const { mode, padding } = sampling;
  const scalar = (value: number) => c.scalar(value, x);
  const rounded = mode === 'nearest' ? roundToEven(c, x) : x;
  const inwards = (at: string): string =>
    padding === 'reflection'
      ? reflect(c, at, length, sampling.alignCorners)
      : padding === 'border'
        ? clip(c, at, 0, length - 1)
        : at;
  // As PyTorch and ONNX Runtime have it, cubic moves each tap inside and not the place.
  const place = mode === 'cubic' ? x : inwards(rounded);
  const base = floor(c, place);
  const part = c.sub(place, base);
  const rest = c.sub(scalar(1), part);
  const [offsets, weights] =
    mode === 'nearest'
      ? [[0], [c.expand(scalar(1), c.dims(x))]]
      : mode === 'linear'
        ? [
            [0, 1],
            [rest, part],
          ]
        : [
            [-1, 0, 1, 2],
            [far(c, part), near(c, part), near(c, rest), far(c, rest)],
          ];
  return offsets.map((offset, i) => {
    const at = offset === 0 ? base : c.add(base, scalar(offset));
    const weight = weights[i] as string;
    const index = cast(c, clip(c, inwards(at), 0, length - 1), INT64);
    return { index, weight: padding === 'zeros' ? insideOnly(c, at, length, weight) : weight };
  });
}

/** The weight, 0 where the element is outside the axis. */
function insideOnly(c: NodeContext, at: string, length: number, weight: string): string {
  const low = c.op('GreaterOrEqual', [at, c.scalar(0, at)]);
  const high = c.op('LessOrEqual', [at, c.scalar(length - 1, at)]);
  return c.where(c.op('And', [low, high]), weight, c.scalar(0, weight));
}

/** Halves to the even neighbour. */
function roundToEven(c: NodeContext, x: string): string {
  const up = floor(c, c.add(x, c.scalar(0.5, x)));
  const isHalf = c.op('Equal', [c.sub(up, x), c.scalar(0.5, x)]);
  const odd = c.sub(up, c.scale(floor(c, c.scale(up, 0.5)), 2));
  return c.where(isHalf, c.sub(up, odd), up);
}

/** Mirrored at both ends until inside. */
function reflect(c: NodeContext, x: string, length: number, alignCorners: boolean): string {
  const low = alignCorners ? 0 : -0.5;
  const span = alignCorners ? length - 1 : length;
  if (span === 0) return c.scale(x, 0);
  const distance = c.op('Abs', [c.sub(x, c.scalar(low, x))]);
  const periods = floor(c, c.scale(distance, 1 / (2 * span)));
  const within = c.sub(distance, c.scale(periods, 2 * span));
  const folded = c.op('Abs', [c.sub(within, c.scalar(span, x))]);
  return c.sub(c.scalar(low + span, x), folded);
}

const CUBIC = -0.75;

/** Keys' kernel at distance t ≤ 1. */
function near(c: NodeContext, t: string): string {
  const slope = c.sub(c.scale(t, CUBIC + 2), c.scalar(CUBIC + 3, t));
  return c.add(c.mul(c.mul(slope, t), t), c.scalar(1, t));
}

/** Keys' kernel at distance 1 + t: a·t·(t − 1)². */
function far(c: NodeContext, t: string): string {
  const rest = c.sub(t, c.scalar(1, t));
  return c.scale(c.mul(t, c.mul(rest, rest)), CUBIC);
}

/** An image [N,C,…spatial], its channels in `groups`, as rows [N·groups·∏spatial, C/groups]. */
export function rowsOf(c: NodeContext, image: string, groups = 1): string {
  const [n, channels, ...spatial] = c.dims(image) as [number, number, ...number[]];
  const [width, count] = [channels / groups, elementCount(spatial)];
  const split = c.reshape(image, [n, groups, width, count]);
  return c.reshape(c.transpose(split, [0, 1, 3, 2]), [n * groups * count, width]);
}

/**
 * Rows at each combination of the axes' taps, times their weights: tensors […places, row length],
 * one per combination. Taps, weights and `first` broadcast to the places.
 *
 * @param first number of the image's first row, int64.
 */
export function weighedRows(
  c: NodeContext,
  rows: string,
  first: string,
  spatial: readonly number[],
  axes: readonly (readonly Tap[])[],
): string[] {
  let terms: { at: string; weight?: string }[] = [{ at: first }];
  axes.forEach((taps, i) => {
    const stride = elementCount(spatial.slice(i + 1));
    const strided = taps.map(({ index }) => c.scale(index, stride));
    terms = terms.flatMap(({ at, weight }) =>
      taps.map((tap, k) => ({
        at: c.add(at, strided[k] as string),
        weight: weight === undefined ? tap.weight : c.mul(weight, tap.weight),
      })),
    );
  });
  return terms.map(({ at, weight = '' }) => {
    const column = c.reshape(weight, [...c.dims(weight), 1]);
    return c.mul(c.op('Gather', [rows, at], { axis: 0 }), column);
  });
}

/** The sum of several values. */
export function total(c: NodeContext, values: readonly string[]): string {
  return values.length === 1 ? (values[0] as string) : c.op('Sum', values);
}

/** A constant int64 tensor 0, step, 2·step … of `dims`. */
export function countBy(c: NodeContext, dims: readonly number[], step: number): string {
  const data = BigInt64Array.from(range(elementCount(dims)), (n) => BigInt(n * step));
  return c.builder.constant({ dtype: 'int64', dims, data });
}
