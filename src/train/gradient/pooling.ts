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
  const rowMajor = intOf(c.node, 'storage_order', 0) === 0;
  const indices = (rowMajor ? c.output(1) : undefined) ?? recomputedIndices(c);
  if (c.native) {
    return [c.op('MaxPoolGrad', [c.dy, indices], { spatial_shape: dims.slice(2) })];
  }
  const flat = addAt(c, [count], c.reshape(indices, [picked]), c.reshape(c.dy, [picked]), 0);
  return [c.reshape(flat, dims)];
};

function recomputedIndices(c: GradientContext): string {
  const name = `d.${c.node.name}.pool`;
  const indices = `d.${c.node.name}.indices`;
  const { storage_order: _, ...attributes } = c.node.attributes;
  c.append({ ...c.node, name, outputs: [name, indices], attributes });
  return indices;
}

/** AveragePool: each seed, divided by the size of its window, to every element under the window. */
export const averagePool: GradientRule = (c) => {
  const window = windowOfPool(c);
  const shares = sharesOf(c, window, c.dims(c.x()).slice(2), c.dims(c.y).slice(2));
  return [
    spreadWindows(
      c,
      typeof shares === 'number' ? c.scale(c.dy, shares) : c.mul(c.dy, shares),
      window,
    ),
  ];
};

/** LpPool, y = (Σ|x|ᵖ)^(1/p): dx = sign(x)·|x|ᵖ⁻¹ · Σ dy·y¹⁻ᵖ over the windows; 0 where y is 0. */
export const lpPool: GradientRule = (c) => {
  const p = intOf(c.node, 'p', 2);
  return [c.mul(normSlope(c, p), spreadWindows(c, normSeed(c, p), windowOfPool(c)))];
};

/** GlobalLpPool: one window. */
export const globalLpPool: GradientRule = (c) => {
  const p = intOf(c.node, 'p', 2);
  return [c.mul(normSlope(c, p), normSeed(c, p))];
};

/** dy·y¹⁻ᵖ */
function normSeed(c: GradientContext, p: number): string {
  if (p === 1) return c.dy;
  const power = p === 2 ? c.y : c.op('Pow', [c.y, c.scalar(p - 1)]);
  const isZero = c.op('Equal', [c.y, c.scalar(0)]);
  return c.where(isZero, c.scalar(0), c.div(c.dy, c.where(isZero, c.scalar(1), power)));
}

/** sign(x)·|x|ᵖ⁻¹ */
function normSlope(c: GradientContext, p: number): string {
  if (p === 2) return c.x();
  const sign = c.op('Sign', [c.x()]);
  return p === 1 ? sign : c.mul(sign, c.op('Pow', [c.op('Abs', [c.x()]), c.scalar(p - 1)]));
}

function windowOfPool(c: GradientContext): Window {
  const kernel = intsOf(c.node, 'kernel_shape') ?? [];
  return windowOf(c.node, kernel, c.dims(c.x()).slice(2), c.dims(c.y).slice(2));
}

/** To each input element, the sum of `seed` over the windows that it is under. */
function spreadWindows(c: GradientContext, seed: string, window: Window): string {
  const [n, channels, ...large] = c.dims(c.x()) as [number, number, ...number[]];
  const small = c.dims(seed).slice(2);
  const { kernel, strides, dilations } = window;
  const overlapping = kernel.some((size, i) => size !== strides[i] || dilations[i] !== 1);
  const exact = large.every((size, i) => size === (small[i] as number) * (kernel[i] as number));
  if (!overlapping && exact && [...window.begin, ...window.end].every((p) => p === 0)) {
    const blocks = small.flatMap((count) => [count, 1]);
    const full = small.flatMap((count, i) => [count, kernel[i] as number]);
    const spread = c.expand(c.reshape(seed, [n, channels, ...blocks]), [n, channels, ...full]);
    return c.reshape(spread, [n, channels, ...large]);
  }
  const ones = c.expand(c.scalar(1), [1, 1, ...kernel]);
  const covered = small.map((count, i) => coveredBy(window, i, count));
  const beyond = covered.map(
    (size, i) => size - (window.begin[i] as number) - (large[i] as number),
  );
  const spread = c.op('ConvTranspose', [c.reshape(seed, [n * channels, 1, ...small]), ones], {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...window.begin, ...beyond.map((b) => Math.max(0, b))],
    output_padding: beyond.map((b) => Math.max(0, -b)),
  });
  return c.reshape(spread, [n, channels, ...large]);
}

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
