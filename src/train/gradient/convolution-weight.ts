/**
 * The weight gradient of a convolution: dW[o,i,k] = Σ over n and p of small[n,o,p] · large[n,i,s·p+d·k],
 * `large` being the padded side that the kernel slides over. Ordinary ONNX offers several ways with
 * the same result; which is fastest on a CPU depends on the shape (measured with ONNX Runtime 1.30):
 *
 * - *matrix products per image* over unfolded windows, then a sum over the batch: 1×1 kernels, few
 *   channels, strides;
 * - *one matrix product per kernel offset* over the whole batch: stride 1 and many channels;
 * - *grouped convolution*, batch and channels exchanged, for groups and depthwise kernels.
 */
import { elementCount } from '../../util/tensor.js';
import type { GradientContext } from './rule.js';
import { range } from './rule.js';
import { coveredBy, type Window } from './window.js';

export interface WeightGradient {
  /** [N, I, …]: the side with the larger spatial dims. */
  readonly large: string;
  /** [N, O, …] */
  readonly small: string;
  readonly window: Window;
  readonly group: number;
}

/** Channels of `large` from which on a product per offset is the faster way. */
const OFFSET_CHANNELS = 8;

/** dW, [O, I/group, …kernel]. */
export function convolutionWeightGradient(c: GradientContext, w: WeightGradient): string {
  if (w.group > 1) return byGroupedConvolution(c, w);
  const channels = c.dims(w.large)[1] as number;
  const single = elementCount(w.window.kernel) === 1;
  const dense = w.window.strides.every((s) => s === 1);
  if (!single && dense && channels >= OFFSET_CHANNELS) return byOffset(c, w);
  return byImage(c, w);
}

/** Σₙ small[n] · unfold(large)[n]ᵀ */
function byImage(c: GradientContext, w: WeightGradient): string {
  const [n, o] = c.dims(w.small) as [number, number];
  const i = c.dims(w.large)[1] as number;
  const positions = elementCount(c.dims(w.small).slice(2));
  const taps = elementCount(w.window.kernel);
  const parts = windowsOf(c, padded(c, w), w);
  const unfolded = parts.length === 1 ? (parts[0] as string) : c.op('Concat', parts, { axis: 1 });
  const columns = c.transpose(c.reshape(unfolded, [n, taps * i, positions]), [0, 2, 1]);
  const perImage = c.op('MatMul', [c.reshape(w.small, [n, o, positions]), columns]);
  return unstack(c, c.reshape(c.reduceSum(perImage, [0]), [o, taps, i]), w);
}

/** For each kernel offset: small · (large shifted)ᵀ, channels first, all images side by side. */
function byOffset(c: GradientContext, w: WeightGradient): string {
  const [n, o] = c.dims(w.small) as [number, number];
  const i = c.dims(w.large)[1] as number;
  const count = n * elementCount(c.dims(w.small).slice(2));
  const rank = c.dims(w.small).length;
  const exchanged = [1, 0, ...range(rank).slice(2)];
  const left = c.reshape(c.transpose(w.small, exchanged), [o, count]);
  const products = windowsOf(c, c.transpose(padded(c, w), exchanged), w).map((part) =>
    c.reshape(c.op('Gemm', [left, c.reshape(part, [i, count])], { transB: 1 }), [o, 1, i]),
  );
  return unstack(c, c.op('Concat', products, { axis: 1 }), w);
}

/** [O, taps, I] → [O, I, …kernel] */
function unstack(c: GradientContext, value: string, w: WeightGradient): string {
  const [o, , i] = c.dims(value) as [number, number, number];
  return c.reshape(c.transpose(value, [0, 2, 1]), [o, i, ...w.window.kernel]);
}

/** Images become channels: [I/g, g·N, …] ∗ [O, N, …] with g groups gives [I/g, O, …kernel]. */
function byGroupedConvolution(c: GradientContext, w: WeightGradient): string {
  const { kernel, strides, dilations } = w.window;
  const [n, channels, ...spatial] = c.dims(w.large) as [number, number, ...number[]];
  const small = c.dims(w.small).slice(2);
  const perGroup = channels / w.group;
  const rest = range(spatial.length);
  const split = c.reshape(w.large, [n, w.group, perGroup, ...spatial]);
  const exchanged = c.transpose(split, [2, 1, 0, ...rest.map((axis) => axis + 3)]);
  const image = c.reshape(exchanged, [perGroup, w.group * n, ...spatial]);
  const filter = c.transpose(w.small, [1, 0, ...rest.map((axis) => axis + 2)]);
  const end = spatial.map((size, i) =>
    Math.max(0, coveredBy(w.window, i, small[i] as number) - size - (w.window.begin[i] as number)),
  );
  const full = c.op('Conv', [image, filter], {
    kernel_shape: small,
    strides: dilations,
    dilations: strides,
    pads: [...w.window.begin, ...end],
    group: w.group,
  });
  const exact = c.slice(
    full,
    rest.map((axis) => axis + 2),
    rest.map(() => 0),
    kernel,
  );
  return c.transpose(exact, [1, 0, ...rest.map((axis) => axis + 2)]);
}

/** `large` with the padding of the window, and no more than the windows cover. */
function padded(c: GradientContext, w: WeightGradient): string {
  const { begin } = w.window;
  const spatial = c.dims(w.large).slice(2);
  const end = c
    .dims(w.small)
    .slice(2)
    .map((count, i) =>
      Math.max(0, coveredBy(w.window, i, count) - (spatial[i] as number) - (begin[i] as number)),
    );
  return c.pad(w.large, [0, 0, ...begin, 0, 0, ...end]);
}

/** What each kernel offset sees, in row-major order of the offsets: slices the size of `small`. */
function windowsOf(c: GradientContext, value: string, w: WeightGradient): string[] {
  const { kernel, strides, dilations } = w.window;
  const small = c.dims(w.small).slice(2);
  const large = c.dims(value).slice(2);
  const axes = range(kernel.length).map((axis) => axis + 2);
  return range(elementCount(kernel)).map((tap) => {
    let rest = tap;
    const starts = new Array<number>(kernel.length).fill(0);
    for (let axis = kernel.length - 1; axis >= 0; axis--) {
      starts[axis] = (rest % (kernel[axis] as number)) * (dilations[axis] as number);
      rest = Math.floor(rest / (kernel[axis] as number));
    }
    const ends = starts.map((s, i) => s + ((small[i] as number) - 1) * (strides[i] as number) + 1);
    const whole = starts.every((s, i) => s === 0 && ends[i] === large[i] && strides[i] === 1);
    return whole ? value : c.slice(value, axes, starts, ends, strides);
  });
}
