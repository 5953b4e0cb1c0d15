/** Operators: images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { OpSchema } from './schema.js';

const window = { kernel_shape: 'ints', pads: 'ints', strides: 'ints' } as const;

export const imageSchemas = {
  AffineGrid: { inputs: [2, 2], outputs: [1, 1], attributes: { align_corners: 'int' } },
  CenterCropPad: { inputs: [2, 2], outputs: [1, 1], attributes: { axes: 'ints' } },
  Col2Im: {
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: { dilations: 'ints', pads: 'ints', strides: 'ints' },
  },
  DeformConv: {
    inputs: [3, 5],
    outputs: [1, 1],
    attributes: { ...window, dilations: 'ints', group: 'int', offset_group: 'int' },
  },
  DepthToSpace: {
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { blocksize: 'int', mode: 'string' },
  },
  GlobalLpPool: { inputs: [1, 1], outputs: [1, 1], attributes: { p: 'int' } },
  GridSample: {
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { align_corners: 'int', mode: 'string', padding_mode: 'string' },
  },
  ImageDecoder: { inputs: [1, 1], outputs: [1, 1], attributes: { pixel_format: 'string' } },
  LpPool: {
    inputs: [1, 1],
    outputs: [1, 1],
    attributes: { ...window, auto_pad: 'string', ceil_mode: 'int', dilations: 'ints', p: 'int' },
  },
  MaxRoiPool: {
    inputs: [2, 2],
    outputs: [1, 1],
    attributes: { pooled_shape: 'ints', spatial_scale: 'float' },
  },
  MaxUnpool: { inputs: [2, 3], outputs: [1, 1], attributes: window },
  NonMaxSuppression: { inputs: [2, 5], outputs: [1, 1], attributes: { center_point_box: 'int' } },
  Resize: {
    inputs: [1, 4],
    outputs: [1, 1],
    attributes: {
      antialias: 'int',
      axes: 'ints',
      coordinate_transformation_mode: 'string',
      cubic_coeff_a: 'float',
      exclude_outside: 'int',
      extrapolation_value: 'float',
      keep_aspect_ratio_policy: 'string',
      mode: 'string',
      nearest_mode: 'string',
    },
  },
  RoiAlign: {
    inputs: [3, 3],
    outputs: [1, 1],
    attributes: {
      coordinate_transformation_mode: 'string',
      mode: 'string',
      output_height: 'int',
      output_width: 'int',
      sampling_ratio: 'int',
      spatial_scale: 'float',
    },
  },
  SpaceToDepth: { inputs: [1, 1], outputs: [1, 1], attributes: { blocksize: 'int' } },
  Upsample: { inputs: [1, 2], outputs: [1, 1], attributes: { mode: 'string', scales: 'floats' } },
} as const satisfies Record<string, OpSchema>;
