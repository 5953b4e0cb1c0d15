/** Gradients: images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { imageSchemas } from '../../ir/schema/image.js';
import * as blocks from './blocks.js';
import { deformConv } from './deformable.js';
import { affineGrid, gridSample } from './grid.js';
import { globalLpPool, lpPool } from './pooling.js';
import { roiAlign } from './region.js';
import { resize, upsample } from './resize.js';
import type { GradientRow } from './rule.js';

export const imageGradients: Readonly<Record<keyof typeof imageSchemas, GradientRow>> = {
  AffineGrid: affineGrid,
  CenterCropPad: blocks.centerCropPad,
  Col2Im: blocks.col2im,
  DeformConv: deformConv,
  DepthToSpace: blocks.depthToSpace,
  GlobalLpPool: globalLpPool,
  GridSample: gridSample,
  ImageDecoder: { notDifferentiable: 'it decodes a file into integers' },
  LpPool: lpPool,
  MaxRoiPool: {
    notDifferentiable: 'the values of its regions decide which elements it pools; use RoiAlign',
  },
  MaxUnpool: blocks.maxUnpool,
  NonMaxSuppression: { notDifferentiable: 'its result is a list of indices' },
  Resize: resize,
  RoiAlign: roiAlign,
  SpaceToDepth: blocks.spaceToDepth,
  Upsample: upsample,
};
