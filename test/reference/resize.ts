/** Resize and Upsample, written from the ONNX specification of Resize. */
import { floatOf, intOf, intsOf, stringOf } from '../../src/ir/attributes.js';
import type { Node } from '../../src/ir/graph.js';
import { count, type Kernels, need, positive } from './kernel.js';
import { at, generate, get, type Tensor } from './tensor.js';

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
  readonly roi: readonly [number, number];
}

/** Place in the input of element `x` of the result. */
function place(node: Node, { from, to, scale, roi }: Axis, x: number): number | undefined {
  const mode = stringOf(node, 'coordinate_transformation_mode', 'half_pixel');
  if (mode === 'asymmetric') return x / scale;
  if (mode === 'align_corners') return to === 1 ? 0 : (x * (from - 1)) / (from * scale - 1);
  if (mode === 'tf_crop_and_resize') {
    const [start, end] = roi.map((r) => r * (from - 1)) as [number, number];
    const found = to > 1 ? start + (x * (end - start)) / (to - 1) : (start + end) / 2;
    return found < 0 || found > from - 1 ? undefined : found;
  }
  if (mode === 'pytorch_half_pixel' && to === 1) return 0;
  const adjustment = mode === 'half_pixel_symmetric' ? to / (scale * from) : 1;
  return (from / 2) * (1 - adjustment) + (x + 0.5) / scale - 0.5;
}

/** Weights of the elements left − n + 1 … left + n around a place; `ratio` is its part behind left. */
function coefficients(node: Node, ratio: number, scale: number): number[] {
  const mode = stringOf(node, 'mode', 'nearest');
  if (mode === 'nearest') {
    const rounding = stringOf(node, 'nearest_mode', 'round_prefer_floor');
    const right =
      ratio === 1 ||
      rounding === 'ceil' ||
      (rounding === 'round_prefer_floor' && ratio > 0.5) ||
      (rounding === 'round_prefer_ceil' && ratio >= 0.5);
    return right ? [0, 1] : [1, 0];
  }
  const step = intOf(node, 'antialias', 0) === 1 ? Math.min(scale, 1) : 1;
  const radius = mode === 'cubic' ? 2 : 1;
  const first = Math.floor(-radius / step) + 1;
  const a = floatOf(node, 'cubic_coeff_a', -0.75);
  const raw = count(2 - 2 * first).map((i) => {
    const x = Math.abs((first + i - ratio) * step);
    if (mode === 'linear') return Math.max(0, 1 - x);
    if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
    return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
  });
  const sum = raw.reduce((total, w) => total + w, 0);
  return raw.map((w) => w / sum);
}

/** Elements and their weights; undefined for the extrapolation value. */
function taps(node: Node, axis: Axis, x: number): [number, number][] | undefined {
  const found = place(node, axis, x);
  if (found === undefined) return undefined;
  const left = Math.ceil(found) - 1;
  const weights = coefficients(node, found - left, axis.scale);
  const first = left - weights.length / 2 + 1;
  if (intOf(node, 'exclude_outside', 0) === 1) {
    const outside = (i: number) => first + i < 0 || first + i >= axis.from;
    weights.forEach((_, i) => {
      if (outside(i)) weights[i] = 0;
    });
    const sum = weights.reduce((total, w) => total + w, 0);
    weights.forEach((w, i) => {
      weights[i] = w / sum;
    });
  }
  return weights.flatMap((w, i): [number, number][] =>
    w === 0 ? [] : [[Math.min(Math.max(first + i, 0), axis.from - 1), w]],
  );
}

function interpolate(node: Node, x: Tensor, axes: readonly Axis[]): Tensor {
  const tables = axes.map((axis) => count(axis.to).map((i) => taps(node, axis, i)));
  return generate(
    axes.map(({ to }) => to),
    (index) => {
      const sum = (axis: number, from: readonly number[]): number | undefined => {
        if (axis === axes.length) return get(x, from);
        const list = tables[axis]?.[at(index, axis)];
        if (list === undefined) return undefined;
        let total = 0;
        for (const [i, weight] of list) {
          const part = sum(axis + 1, [...from, i]);
          if (part === undefined) return undefined;
          total += weight * part;
        }
        return total;
      };
      return sum(0, []) ?? floatOf(node, 'extrapolation_value', 0);
    },
  );
}

const list = (t: Tensor | undefined) =>
  t === undefined || t.data.length === 0 ? undefined : Array.from(t.data);

function resize(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor {
  const x = need(inputs, 0);
  const rank = x.dims.length;
  const axes = (intsOf(node, 'axes') ?? count(rank)).map((axis) => positive(axis, rank));
  // Before opset 11 the only other input was scales.
  const old = inputs.length === 2;
  const roi = old ? undefined : list(inputs[1]);
  const scales = list(inputs[old ? 1 : 2])?.map(Math.fround);
  const sizes = old ? undefined : list(inputs[3]);
  const policy = stringOf(node, 'keep_aspect_ratio_policy', 'stretch');
  const ratios = sizes?.map((size, i) => size / at(x.dims, at(axes, i)));
  const common = Math[policy === 'not_larger' ? 'min' : 'max'](...(ratios ?? []));
  const result = x.dims.map((from): Axis => ({ from, to: from, scale: 1, roi: [0, 1] }));
  axes.forEach((axis, i) => {
    const from = at(x.dims, axis);
    const part: [number, number] = roi ? [at(roi, i), at(roi, i + axes.length)] : [0, 1];
    const byPolicy = ratios !== undefined && policy !== 'stretch';
    const scale = byPolicy ? common : at(ratios ?? scales ?? [], i);
    const to =
      sizes === undefined
        ? Math.floor(Math.fround(from * scale))
        : byPolicy
          ? Math.floor(from * scale + 0.5)
          : at(sizes, i);
    result[axis] = { from, to, scale, roi: part };
  });
  return interpolate(node, x, result);
}

function upsample(node: Node, inputs: readonly (Tensor | undefined)[]): Tensor {
  const x = need(inputs, 0);
  const attribute = node.attributes.scales;
  const scales = attribute?.kind === 'floats' ? attribute.value : Array.from(need(inputs, 1).data);
  const asResize: Node = {
    ...node,
    attributes: {
      mode: { kind: 'string', value: stringOf(node, 'mode', 'nearest') },
      coordinate_transformation_mode: { kind: 'string', value: 'asymmetric' },
      nearest_mode: { kind: 'string', value: 'floor' },
    },
  };
  const axes = x.dims.map((from, i): Axis => {
    const scale = Math.fround(at(scales, i));
    return { from, to: Math.floor(Math.fround(from * scale)), scale, roi: [0, 1] };
  });
  return interpolate(asResize, x, axes);
}

export const resizing: Kernels = {
  Resize: (node, inputs) => [resize(node, inputs)],
  Upsample: (node, inputs) => [upsample(node, inputs)],
};
