/** Pooling with windows. */
import { intOf, intsOf } from '../../ir/attributes.js';
import { elementCount } from '../../util/tensor.js';
import { type GradientContext, type GradientRule, range } from './rule.js';
import { addAt } from './selection.js';
import { coveredBy, type Window, windowOf } from './window.js';

/**
 * MaxPool: the seed added into zeros where each maximum came from. Uses the node's second output,
 * the flat indices of the maxima, which the training form asks for.
 */
export const maxPool: GradientRule = (c) => {
  const dims = c.dims(c.x());
  const count = elementCount(dims);
  const picked = elementCount(c.dims(c.y));
  const indices = c.output(1) ?? recomputedIndices(c);
  if (c.native) {
    return [c.op('MaxPoolGrad', [c.dy, indices], { spatial_shape: dims.slice(2) })];
  }
  const flat = addAt(c, [count], c.reshape(indices, [picked]), c.reshape(c.dy, [picked]), 0);
  return [c.reshape(flat, dims)];
};

function recomputedIndices(c: GradientContext): string {
  const [, indices] = ['', `d.${c.node.name}.indices`] as const;
  c.builder.append({
    ...c.node,
    name: `d.${c.node.name}.pool`,
    outputs: [`d.${c.node.name}.pool`, indices],
  });
  return indices;
}

/** AveragePool: each seed, divided by the size of its window, to every element under the window. */
export const averagePool: GradientRule = (c) => {
  const [n, channels, ...large] = c.dims(c.x()) as [number, number, ...number[]];
  const small = c.dims(c.y).slice(2);
  const kernel = intsOf(c.node, 'kernel_shape') ?? [];
  const window = windowOf(c.node, kernel, large, small);
  const shares = sharesOf(c, window, large, small);
  const seed = typeof shares === 'number' ? c.scale(c.dy, shares) : c.mul(c.dy, shares);
  const overlapping = kernel.some((size, i) => size !== window.strides[i]);
  const exact = large.every((size, i) => size === (small[i] as number) * (kernel[i] as number));
  if (!overlapping && exact && [...window.begin, ...window.end].every((p) => p === 0)) {
    const blocks = small.flatMap((count) => [count, 1]);
    const full = small.flatMap((count, i) => [count, kernel[i] as number]);
    const spread = c.expand(c.reshape(seed, [n, channels, ...blocks]), [n, channels, ...full]);
    return [c.reshape(spread, [n, channels, ...large])];
  }
  const ones = c.expand(c.scalar(1), [1, 1, ...kernel]);
  const covered = small.map((count, i) => coveredBy(window, i, count));
  const beyond = covered.map(
    (size, i) => size - (window.begin[i] as number) - (large[i] as number),
  );
  const spread = c.op('ConvTranspose', [c.reshape(seed, [n * channels, 1, ...small]), ones], {
    kernel_shape: kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.begin, ...beyond.map((b) => Math.max(0, b))],
    output_padding: beyond.map((b) => Math.max(0, -b)),
  });
  return [c.reshape(spread, [n, channels, ...large])];
};

/** 1 / elements counted under each window; one number where they all agree. */
function sharesOf(
  c: GradientContext,
  window: Window,
  large: readonly number[],
  small: readonly number[],
): number | string {
  const withPads = intOf(c.node, 'count_include_pad', 0) === 1;
  const counts = small.map((positions, axis) =>
    range(positions).map((p) => {
      const size = large[axis] as number;
      const from = p * (window.strides[axis] as number) - (window.begin[axis] as number);
      const low = withPads ? -(window.begin[axis] as number) : 0;
      const high = withPads ? size + (window.end[axis] as number) : size;
      const taps = range(window.kernel[axis] as number).map(
        (k) => from + k * (window.dilations[axis] as number),
      );
      return taps.filter((t) => t >= low && t < high).length;
    }),
  );
  const full = elementCount(window.kernel);
  const table = counts.reduce<number[]>(
    (left, axis) => left.flatMap((a) => axis.map((b) => a * b)),
    [1],
  );
  if (table.every((count) => count === full)) return 1 / full;
  const data = Float32Array.from(table, (count) => 1 / count);
  return c.builder.constant({ dtype: 'float32', dims: [...small], data });
}
