/** Fourier transforms: linear, so their gradient is a transform of the seed. */
import { intOf } from '../../ir/attributes.js';
import type { NodeContext } from './node-context.js';
import {
  type Expansion,
  frontAxis,
  type GradientContext,
  type GradientRule,
  range,
} from './rule.js';

/**
 * y = F·x with F symmetric: dx = F̄·dy, the inverse transform times its length L; for the inverse,
 * y = F̄·x/L, it is F·dy/L. What a one-sided transform leaves out has no seed. From one side back to a
 * real signal, each bin stands for itself and its mirror image: F·dy/L, twice but for those that have
 * none.
 */
export const dft: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const place = axisOf(c);
  const size = dims[place] as number;
  const inverse = intOf(c.node, 'inverse', 0);
  const onesided = intOf(c.node, 'onesided', 0);
  if (inverse === 1 && onesided === 1) {
    const length = c.dims(c.dy)[place] as number;
    const bins = transform(c, c.dy, place, { onesided: 1 });
    const count = c.dims(bins)[place] as number;
    const twice = range(count).map((k) => (k === 0 || 2 * k === length ? 1 : 2) / length);
    const shares = c.tensor(
      dims.map((_, i) => (i === place ? count : 1)),
      twice,
    );
    return [resized(c, c.mul(bins, shares), place, size)];
  }
  const length = c.hasInput(1) ? Number(c.ints('dft_length', 1)?.[0]) : size;
  const full = resized(c, c.dy, place, length);
  const back = transform(c, full, place, { inverse: 1 - inverse });
  const scaled = inverse === 1 ? c.div(back, c.scalar(length)) : c.scale(back, length);
  const real = dims.at(-1) === 1 ? c.slice(scaled, [dims.length - 1], [0], [1]) : scaled;
  return [resized(c, real, place, size)];
};

/** The axis, an attribute before opset 20 and an input from then on. */
function axisOf(c: NodeContext): number {
  const rank = c.dims(c.x()).length;
  if (c.builder.opset < 20) return frontAxis(intOf(c.node, 'axis', 1), rank);
  return frontAxis(c.hasInput(2) ? Number(c.ints('axis', 2)?.[0]) : -2, rank);
}

function transform(
  c: NodeContext,
  value: string,
  axis: number,
  attributes: Record<string, number>,
  length = '',
): string {
  if (c.builder.opset < 20) {
    return c.op('DFT', length === '' ? [value] : [value, length], { axis, ...attributes });
  }
  return c.op('DFT', [value, length, c.builder.scalar(axis, 'int64')], attributes);
}

/** The first `size` places along an axis, zeros behind those that are there. */
function resized(c: GradientContext, value: string, axis: number, size: number): string {
  const dims = c.dims(value);
  const given = dims[axis] as number;
  if (given > size) return c.slice(value, [axis], [0], [size]);
  const pads = new Array<number>(2 * dims.length).fill(0);
  pads[dims.length + axis] = size - given;
  return c.pad(value, pads);
}

/** Frames of the signal, times the window, transformed. */
export const stft: Expansion = {
  expand: (c) => {
    const [, size] = c.dims(c.x()) as [number, number];
    const integer = (name: string, input: number) => c.ints(name, input)?.[0];
    const step = Number(integer('frame_step', 1));
    const taken = c.hasInput(2) ? (c.dims(c.x(2))[0] as number) : undefined;
    const length = c.hasInput(3) ? Number(integer('frame_length', 3)) : (taken ?? size);
    const frames = 1 + Math.floor((size - length) / step);
    const width = Math.min(taken ?? length, length);
    const places = range(frames).flatMap((f) => range(width).map((i) => f * step + i));
    const indices = c.builder.tensor([frames, width], places, 'int64');
    const cut = c.op('Gather', [c.x(), indices], { axis: 1 });
    const window = c.hasInput(2) ? c.slice(c.x(2), [0], [0], [width]) : undefined;
    const weighted = window === undefined ? cut : c.mul(cut, c.reshape(window, [width, 1]));
    const onesided = intOf(c.node, 'onesided', 1);
    return [transform(c, weighted, 2, { onesided }, c.builder.scalar(length, 'int64'))];
  },
};
