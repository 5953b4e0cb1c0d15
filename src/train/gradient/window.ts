/** Geometry of sliding windows (convolution, pooling), with `auto_pad` resolved. */
import { intsOf, stringOf } from '../../ir/attributes.js';
import type { Node } from '../../ir/graph.js';

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before and after, per spatial axis. */
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/** The window of `node` that slides over `large` and leaves `small` (spatial dims). */
export function windowOf(
  node: Node,
  kernel: readonly number[],
  large: readonly number[],
  small: readonly number[],
): Window {
  const rank = kernel.length;
  const strides = intsOf(node, 'strides') ?? kernel.map(() => 1);
  const dilations = intsOf(node, 'dilations') ?? kernel.map(() => 1);
  const mode = stringOf(node, 'auto_pad', 'NOTSET');
  if (mode === 'NOTSET' || mode === '') {
    const pads = intsOf(node, 'pads') ?? new Array<number>(2 * rank).fill(0);
    return { kernel, strides, dilations, begin: pads.slice(0, rank), end: pads.slice(rank) };
  }
  const totals = kernel.map((size, i) => {
    const covered =
      ((small[i] as number) - 1) * (strides[i] as number) +
      (size - 1) * (dilations[i] as number) +
      1;
    return mode === 'VALID' ? 0 : Math.max(0, covered - (large[i] as number));
  });
  return { kernel, strides, dilations, ...halved(totals, mode === 'SAME_LOWER') };
}

/** Padding in two halves; of an odd number, more before or more after. */
function halved(totals: readonly number[], moreBefore: boolean): Pick<Window, 'begin' | 'end'> {
  const begin = totals.map((t) => (moreBefore ? Math.ceil(t / 2) : Math.floor(t / 2)));
  return { begin, end: totals.map((t, i) => t - (begin[i] as number)) };
}

/**
 * The window of a ConvTranspose, which makes `large` out of `small`. With `output_shape` or "same"
 * padding, what is too much is cut off; more of an odd number before, except for SAME_UPPER.
 */
export function transposedWindowOf(
  node: Node,
  kernel: readonly number[],
  large: readonly number[],
  small: readonly number[],
): Window {
  const mode = stringOf(node, 'auto_pad', 'NOTSET');
  const isStated = intsOf(node, 'output_shape') !== undefined;
  const window = windowOf(node, kernel, large, small);
  if (!isStated && !mode.startsWith('SAME')) return window;
  const extra = intsOf(node, 'output_padding');
  const totals = kernel.map((_, axis) => {
    const covered = coveredBy(window, axis, small[axis] as number) + (extra?.[axis] ?? 0);
    return Math.max(0, covered - (large[axis] as number));
  });
  return { ...window, ...halved(totals, mode !== 'SAME_UPPER') };
}

/** Elements that the windows of `count` positions cover along an axis: (count−1)·stride + extent. */
export function coveredBy(window: Window, axis: number, count: number): number {
  const extent = ((window.kernel[axis] as number) - 1) * (window.dilations[axis] as number) + 1;
  return (count - 1) * (window.strides[axis] as number) + extent;
}
