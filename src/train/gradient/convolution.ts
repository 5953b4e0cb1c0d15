/** Convolution in any number of spatial dimensions, with groups, strides, dilations, asymmetric pads. */
import { intOf } from '../../ir/attributes.js';
import { convolutionWeightGradient } from './convolution-weight.js';
import { type GradientContext, type GradientRule, range } from './rule.js';
import { coveredBy, transposedWindowOf, type Window, windowOf } from './window.js';

/** Y = X ∗ W + b: dX = dY ∗ᵀ W, dW = X ⋆ dY (correlation over batch and positions), db = Σ dY. */
export const conv: GradientRule = (c) => {
  const x = c.x(0);
  const w = c.x(1);
  const group = intOf(c.node, 'group', 1);
  const kernel = c.dims(w).slice(2);
  const window = windowOf(c.node, kernel, c.dims(x).slice(2), c.dims(c.y).slice(2));
  return c.node.inputs.map((_, i) => {
    if (!c.wants[i]) return undefined;
    if (i === 0) return inputGradient(c, window, group);
    if (i === 1) return convolutionWeightGradient(c, { large: x, small: c.dy, window, group });
    return biasGradient(c);
  });
};

/** Y = X ∗ᵀ W + b is the input gradient of a convolution, so dX = dY ∗ W, and dW = dY ⋆ X. */
export const convTranspose: GradientRule = (c) => {
  const x = c.x(0);
  const w = c.x(1);
  const group = intOf(c.node, 'group', 1);
  const large = c.dims(c.y).slice(2);
  const small = c.dims(x).slice(2);
  const kernel = c.dims(w).slice(2);
  const window = transposedWindowOf(c.node, kernel, large, small);
  return c.node.inputs.map((_, i) => {
    if (!c.wants[i]) return undefined;
    if (i === 0)
      return c.firstOf(c.op('Conv', [c.dy, w], windowAttributes(window, group)), c.dims(x));
    if (i === 1) return convolutionWeightGradient(c, { large: c.dy, small: x, window, group });
    return biasGradient(c);
  });
};

function biasGradient(c: GradientContext): string {
  return c.reduceSum(c.dy, [0, ...range(c.dims(c.dy).length).slice(2)]);
}

/** For stride 1 a convolution with the mirrored kernel (faster in ONNX Runtime), else transposed. */
function inputGradient(c: GradientContext, window: Window, group: number): string {
  const { kernel, strides, dilations, begin, end } = window;
  const large = c.dims(c.x(0)).slice(2);
  const small = c.dims(c.dy).slice(2);
  const reach = kernel.map((size, i) => (size - 1) * (dilations[i] as number));
  const mirroredBegin = reach.map((r, i) => r - (begin[i] as number));
  const mirroredEnd = reach.map((r, i) => r - (end[i] as number));
  const plain = strides.every((s) => s === 1);
  if (plain && [...mirroredBegin, ...mirroredEnd].every((p) => p >= 0)) {
    const mirrored: Window = { ...window, begin: mirroredBegin, end: mirroredEnd };
    return c.op('Conv', [c.dy, mirroredKernel(c, group)], windowAttributes(mirrored, group));
  }
  const output_padding = large.map(
    (size, i) =>
      size + (begin[i] as number) + (end[i] as number) - coveredBy(window, i, small[i] as number),
  );
  return c.op('ConvTranspose', [c.dy, c.x(1)], {
    ...windowAttributes(window, group),
    output_padding,
  });
}

/** [O, I/g, …] → [I, O/g, …] with the spatial axes reversed. */
function mirroredKernel(c: GradientContext, group: number): string {
  const [o, i, ...kernel] = c.dims(c.x(1)) as [number, number, ...number[]];
  const axes = kernel.flatMap((size, axis) => (size > 1 ? [axis + 2] : []));
  let w = c.x(1);
  if (axes.length > 0) {
    const far = axes.map(() => -Number.MAX_SAFE_INTEGER);
    const back = axes.map(() => -1);
    w = c.slice(w, axes, back, far, back);
  }
  const spatial = range(kernel.length);
  if (group === 1) return c.transpose(w, [1, 0, ...spatial.map((axis) => axis + 2)]);
  const grouped = c.reshape(w, [group, o / group, i, ...kernel]);
  const swapped =
    o === group && i === 1
      ? grouped
      : c.transpose(grouped, [0, 2, 1, ...spatial.map((axis) => axis + 3)]);
  return c.reshape(swapped, [group * i, o / group, ...kernel]);
}

/** Attributes of a Conv with this window. */
export function windowAttributes(window: Window, group: number) {
  return {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: [...window.begin, ...window.end],
    group,
  };
}
