/**
 * Resize and Upsample: linear in the input, axis by axis, so that the gradient is the transposed
 * interpolation. Source: ONNX specification of Resize; where its text and its stored results differ
 * (`align_corners` with a fractional number of elements), the results count.
 */
import { floatOf, intOf, stringOf } from '../../ir/attributes.js';
import { DEFAULT_OPSET } from '../../ir/graph.js';
import { type ResizedAxis, resizedAxes } from '../../ir/shape/resize.js';
import { mixAxis, sparseMatrix } from './mix.js';
import type { Expansion } from './rule.js';
import { type GradientContext, type GradientRule, range } from './rule.js';

/** A resized axis with everything fixed. */
interface Axis extends ResizedAxis {
  readonly before: number;
  readonly size: number;
  readonly scale: number;
}

export const resize: GradientRule = (c) => {
  const shape = c.dims(c.x());
  const { builder, node } = c;
  const axes = resizedAxes(node, {
    shape,
    opset: DEFAULT_OPSET,
    contents: node.inputs.map((name) => builder.contentsOf(name)),
    constants: node.inputs.map((name) => builder.constantOf(name)),
  });
  let value = c.dy;
  axes.forEach((axis, i) => {
    const before = shape[i] as number;
    const size = c.dims(c.dy)[i] as number;
    const { scale } = axis;
    if (scale === undefined) throw c.refuse('its scales or sizes must be constant');
    if (scale === 1 && size === before && !isCropped(axis)) return;
    const elements = elementsOf(c, { ...axis, before, size, scale });
    value = mixAxis(c, value, i, sparseMatrix(before, size, elements));
  });
  return [value];
};

const isCropped = ({ region }: ResizedAxis) => region?.[0] !== 0 || region[1] !== 1;

/** Weight of each element before in each element after: [before, after, weight]. */
function elementsOf(c: GradientContext, axis: Axis): [number, number, number][] {
  const mode = stringOf(c.node, 'mode', 'nearest');
  const pick =
    mode === 'nearest' ? nearest : mode === 'linear' || mode === 'cubic' ? weighed : null;
  if (pick === null) throw c.refuse(`mode expected nearest, linear or cubic, received ${mode}`);
  return range(axis.size).flatMap((to) => {
    const place = placeOf(c, axis, to);
    if (place === undefined) return [];
    return pick(c, axis, place).map(([from, weight]): [number, number, number] => {
      return [Math.min(Math.max(from, 0), axis.before - 1), to, weight];
    });
  });
}

/** Where an element of the result lies in the input; undefined where it is the extrapolation value. */
function placeOf(c: GradientContext, axis: Axis, to: number): number | undefined {
  const { before, size, scale, region } = axis;
  const mode = stringOf(c.node, 'coordinate_transformation_mode', 'half_pixel');
  const centred = (to + 0.5) / scale - 0.5;
  switch (mode) {
    case 'half_pixel':
      return centred;
    case 'pytorch_half_pixel':
      return size > 1 ? centred : 0;
    case 'half_pixel_symmetric':
      return (before / 2) * (1 - size / (scale * before)) + centred;
    case 'asymmetric':
      return to / scale;
    case 'align_corners':
      return size === 1 ? 0 : (to * (before - 1)) / (scale * before - 1);
    case 'tf_crop_and_resize': {
      if (region === undefined) throw c.refuse('its roi must be constant');
      const [start, end] = region;
      const place =
        size > 1
          ? start * (before - 1) + (to * (end - start) * (before - 1)) / (size - 1)
          : 0.5 * (start + end) * (before - 1);
      return place < 0 || place > before - 1 ? undefined : place;
    }
    default:
      throw c.refuse(`coordinate_transformation_mode ${mode} is not known`);
  }
}

type Weights = readonly (readonly [from: number, weight: number])[];

/** Rounded in float32, in which runtimes compute the place: what is halfway there is halfway here. */
function nearest(c: GradientContext, _: Axis, exact: number): Weights {
  const place = Math.fround(exact);
  switch (stringOf(c.node, 'nearest_mode', 'round_prefer_floor')) {
    case 'round_prefer_floor':
      return [[Math.ceil(place - 0.5), 1]];
    case 'round_prefer_ceil':
      return [[Math.floor(place + 0.5), 1]];
    case 'floor':
      return [[Math.floor(place), 1]];
    case 'ceil':
      return [[Math.ceil(place), 1]];
    default:
      throw c.refuse('nearest_mode expected round_prefer_floor, round_prefer_ceil, floor or ceil');
  }
}

/** Linear and cubic; with `antialias` the kernel is widened where the axis shrinks. */
function weighed(c: GradientContext, { scale, before }: Axis, place: number): Weights {
  const isCubic = stringOf(c.node, 'mode', 'nearest') === 'cubic';
  const a = floatOf(c.node, 'cubic_coeff_a', -0.75);
  const shrink = intOf(c.node, 'antialias', 0) === 1 ? Math.min(scale, 1) : 1;
  const excludes = intOf(c.node, 'exclude_outside', 0) === 1;
  const reach = Math.ceil((isCubic ? 2 : 1) / shrink);
  const first = Math.floor(place) - reach;
  const weights = range(2 * reach + 2).map((i): [number, number] => {
    const from = first + i;
    const distance = Math.abs(from - place) * shrink;
    const isOutside = from < 0 || from >= before;
    if (excludes && isOutside) return [from, 0];
    return [from, isCubic ? cubic(distance, a) : Math.max(0, 1 - distance)];
  });
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  return weights.flatMap(([from, weight]) => (weight === 0 ? [] : [[from, weight / sum]]));
}

/** Keys' cubic convolution kernel. */
function cubic(x: number, a: number): number {
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/** Upsample: Resize from the corner, rounded down. */
export const upsample: Expansion = {
  expand: (c) => {
    const attribute = c.node.attributes.scales;
    const listed = attribute?.kind === 'floats' ? attribute.value : c.builder.constantOf(c.x(1));
    if (listed === undefined) throw c.refuse('its scales must be constant');
    const data = Float32Array.from(listed, Number);
    const scales = c.builder.constant({ dtype: 'float32', dims: [data.length], data });
    return [
      c.op('Resize', [c.x(), '', scales], {
        mode: stringOf(c.node, 'mode', 'nearest'),
        coordinate_transformation_mode: 'asymmetric',
        nearest_mode: 'floor',
      }),
    ];
  },
};
