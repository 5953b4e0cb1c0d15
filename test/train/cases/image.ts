/** Gradient cases: images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { AttributeValue } from '../../../src/ir/attributes.js';
import { floats, type GradientCase, type GradientCases, ints, x } from './case.js';

const image = x(1, 2, 4, 5);
type Attributes = Readonly<Record<string, AttributeValue>>;

const byScale = (about: string, scales: number[], attributes: Attributes): GradientCase => ({
  about,
  inputs: [image, undefined, floats(1, 1, ...scales)],
  attributes,
});
const bySize = (
  about: string,
  sizes: number[],
  attributes: Attributes,
  opset?: number,
): GradientCase => ({
  about,
  inputs: [image, undefined, undefined, ints(...sizes)],
  attributes,
  ...(opset === undefined ? {} : { opset }),
});

const linear = { mode: 'linear' };
const cubic = { mode: 'cubic' };
const transform = (name: string) => ({ coordinate_transformation_mode: name });

const resizes: readonly GradientCase[] = [
  byScale('nearest, whole factor', [2, 3], { ...transform('asymmetric'), nearest_mode: 'floor' }),
  byScale('nearest', [1.5, 0.6], {}),
  byScale('nearest, ceil', [1.3, 0.7], { nearest_mode: 'ceil' }),
  byScale('nearest, round up', [1.5, 0.75], {
    nearest_mode: 'round_prefer_ceil',
    ...transform('asymmetric'),
  }),
  byScale('linear', [2, 2], linear),
  byScale('linear, smaller', [0.6, 0.6], linear),
  byScale('linear, asymmetric', [1.7, 0.5], { ...linear, ...transform('asymmetric') }),
  bySize('linear, corners', [1, 2, 7, 3], { ...linear, ...transform('align_corners') }),
  bySize('linear, one element', [1, 2, 3, 1], { ...linear, ...transform('pytorch_half_pixel') }),
  {
    about: 'linear, all axes',
    inputs: [x(2, 3, 4), undefined, undefined, ints(3, 2, 7)],
    attributes: linear,
  },
  byScale('cubic', [2, 0.8], cubic),
  byScale('cubic, a, outside left out', [1.5, 2], {
    ...cubic,
    cubic_coeff_a: -0.5,
    exclude_outside: 1,
  }),
  bySize('cubic, corners', [1, 2, 9, 8], { ...cubic, ...transform('align_corners') }),
  {
    about: 'crop and resize',
    inputs: [image, floats(0, 0, 0.2, 0.4, 1, 1, 0.6, 1.3), undefined, ints(1, 2, 3, 4)],
    attributes: { ...linear, ...transform('tf_crop_and_resize'), extrapolation_value: 10 },
  },
  bySize(
    'axes, not larger',
    [8, 8],
    {
      ...linear,
      axes: [2, 3],
      keep_aspect_ratio_policy: 'not_larger',
    },
    18,
  ),
  bySize(
    'axes, not smaller',
    [7, 7],
    {
      ...cubic,
      axes: [3, 2],
      keep_aspect_ratio_policy: 'not_smaller',
    },
    18,
  ),
  bySize('linear, antialias', [1, 2, 2, 3], { ...linear, antialias: 1 }, 18),
  bySize('cubic, antialias', [1, 2, 3, 2], { ...cubic, antialias: 1 }, 18),
  {
    about: 'symmetric half pixels',
    inputs: [image, undefined, floats(1, 1, 0.6, 1.3)],
    attributes: { ...linear, ...transform('half_pixel_symmetric') },
    opset: 19,
  },
];

const grid = (...dims: number[]) => ({ dims, range: [-1.3, 1.4] as const });
const samples = (mode: string, padding_mode: string, align_corners: number): GradientCase => ({
  about: `${mode}, ${padding_mode}, ${align_corners === 1 ? 'corners' : 'no corners'}`,
  inputs: [x(2, 2, 3, 4), grid(2, 3, 2, 2)],
  attributes: { mode, padding_mode, align_corners },
  asIs: true,
});
const volume = (mode: string, padding_mode: string): GradientCase => ({
  about: `volume, ${mode}, ${padding_mode}`,
  inputs: [x(1, 2, 2, 3, 2), grid(1, 1, 2, 2, 3)],
  attributes: { mode, padding_mode },
  opset: 20,
  asIs: true,
});

const regions = {
  dims: [2, 4],
  values: [0.4, 0.7, 3.3, 2.9, 1.1, -0.6, 5.2, 4.4],
  dtype: 'float32' as const,
};
const region = (about: string, attributes: Attributes, rois = regions): GradientCase => ({
  about,
  inputs: [x(2, 2, 4, 5), rois, ints(1, 0)],
  asIs: true,
  attributes: { output_height: 2, output_width: 4, sampling_ratio: 2, ...attributes },
});

const lp = (
  about: string,
  dims: number[],
  attributes: Attributes,
  opset?: number,
): GradientCase => ({
  about,
  inputs: [x(...dims)],
  attributes,
  ...(opset === undefined ? {} : { opset }),
});

export const imageCases: GradientCases = {
  AffineGrid: [
    { about: 'image', inputs: [x(2, 2, 3), ints(2, 1, 2, 4)], opset: 20 },
    {
      about: 'volume, corners',
      inputs: [x(1, 3, 4), ints(1, 2, 2, 1, 3)],
      attributes: { align_corners: 1 },
      opset: 20,
    },
  ],
  CenterCropPad: [
    { about: 'cropped and padded', inputs: [x(5, 2, 4), ints(2, 5, 4)], opset: 18 },
    { about: 'axes', inputs: [x(2, 5, 4), ints(3, 7)], attributes: { axes: [-2, 2] }, opset: 18 },
  ],
  Col2Im: [
    {
      about: 'tiles',
      inputs: [x(1, 8, 4), ints(4, 4), ints(2, 2)],
      attributes: { strides: [2, 2] },
      opset: 18,
    },
    {
      about: 'padded, dilated',
      inputs: [x(2, 6, 12), ints(4, 5), ints(2, 3)],
      attributes: { dilations: [2, 1], pads: [1, 0, 0, 1], strides: [1, 1] },
      opset: 18,
    },
    { about: 'one axis', inputs: [x(1, 6, 4), ints(6), ints(3)], opset: 18 },
  ],
  DeformConv: [
    { about: 'plain', inputs: [x(1, 1, 4, 4), x(1, 1, 2, 2), x(1, 8, 3, 3)], opset: 19 },
    {
      about: 'groups, bias, mask',
      inputs: [x(1, 4, 4, 5), x(2, 2, 2, 2), x(1, 16, 2, 3), x(2), x(1, 8, 2, 3)],
      attributes: { group: 2, offset_group: 2, pads: [1, 1, 0, 1], strides: [2, 2] },
      opset: 19,
    },
    {
      about: 'dilated',
      inputs: [x(2, 2, 5, 4), x(3, 2, 2, 1), x(2, 4, 3, 4)],
      attributes: { dilations: [2, 1] },
      opset: 19,
    },
  ],
  DepthToSpace: [
    { about: 'depth first', inputs: [x(1, 8, 2, 3)], attributes: { blocksize: 2 } },
    { about: 'columns first', inputs: [x(1, 8, 2, 3)], attributes: { blocksize: 2, mode: 'CRD' } },
  ],
  GlobalLpPool: [
    { about: 'two', inputs: [x(2, 2, 3, 2)] },
    { about: 'one', inputs: [x(2, 2, 3, 2)], attributes: { p: 1 } },
    { about: 'three', inputs: [x(1, 2, 4)], attributes: { p: 3 } },
  ],
  GridSample: [
    samples('bilinear', 'zeros', 0),
    samples('bilinear', 'border', 1),
    samples('bilinear', 'reflection', 0),
    samples('bilinear', 'reflection', 1),
    samples('nearest', 'zeros', 0),
    samples('nearest', 'reflection', 1),
    samples('bicubic', 'zeros', 0),
    samples('bicubic', 'border', 0),
    samples('bicubic', 'reflection', 1),
    volume('linear', 'zeros'),
    volume('linear', 'reflection'),
    volume('nearest', 'border'),
  ],
  LpPool: [
    lp('two', [1, 2, 4, 5], { kernel_shape: [2, 3], pads: [1, 0, 0, 1] }),
    lp('one, strided', [1, 2, 5, 5], { kernel_shape: [3, 3], strides: [2, 2], p: 1 }),
    lp('three, 1d', [2, 2, 6], { kernel_shape: [2], strides: [2], p: 3 }),
    lp('same lower', [1, 1, 5, 4], {
      kernel_shape: [2, 3],
      strides: [2, 1],
      auto_pad: 'SAME_LOWER',
    }),
    lp(
      'dilated, rounded up',
      [1, 1, 6, 6],
      {
        kernel_shape: [2, 2],
        dilations: [2, 1],
        strides: [2, 2],
        ceil_mode: 1,
      },
      18,
    ),
  ],
  MaxUnpool: [
    {
      about: 'plain',
      inputs: [x(1, 1, 2, 2), { dims: [1, 1, 2, 2], values: [5, 7, 13, 15] }],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
    {
      about: 'stated size',
      inputs: [x(1, 1, 2, 2), { dims: [1, 1, 2, 2], values: [5, 7, 13, 15] }, ints(1, 1, 5, 5)],
      attributes: { kernel_shape: [2, 2], strides: [2, 2] },
    },
  ],
  Resize: resizes,
  RoiAlign: [
    region('average', {}),
    region('average, output pixels', {
      coordinate_transformation_mode: 'output_half_pixel',
      spatial_scale: 0.5,
    }),
    region('largest', { mode: 'max' }),
    {
      about: 'regions too',
      inputs: [x(1, 1, 4, 5), { dims: [2, 4], range: [0.3, 4.2] }, ints(0, 0)],
      attributes: { output_height: 2, output_width: 2, sampling_ratio: 1 },
    },
  ],
  SpaceToDepth: [{ about: 'blocks', inputs: [x(1, 2, 4, 6)], attributes: { blocksize: 2 } }],
  Upsample: [
    { about: 'nearest', inputs: [x(1, 1, 2, 3), floats(1, 1, 2, 3)] },
    {
      about: 'linear',
      inputs: [x(1, 1, 2, 3), floats(1, 1, 2, 1.5)],
      attributes: { mode: 'linear' },
    },
    { about: 'attribute', inputs: [x(1, 1, 2, 3)], attributes: { scales: [1, 1, 1.5, 2] } },
  ],
};
