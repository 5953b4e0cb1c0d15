/** Costs: images and feature maps: resizing, sampling, regions of interest, further pooling. */
import type { imageSchemas } from '../schema/image.js';
import { type CostRule, moving, picking, sizeOf } from './rule.js';

/** Each output element sums over C/group × kernel, as Conv: w is [M,C/group,kernel…]. */
const deformConv: CostRule = {
  ...moving,
  macs: ({ inputs: [, w], outputs: [y] }) => sizeOf(y) * sizeOf(w?.slice(1)),
};

export const imageCosts: Readonly<Record<keyof typeof imageSchemas, CostRule>> = {
  AffineGrid: moving,
  CenterCropPad: picking,
  Col2Im: moving,
  DeformConv: deformConv,
  DepthToSpace: moving,
  GlobalLpPool: moving,
  GridSample: moving,
  ImageDecoder: moving,
  LpPool: moving,
  MaxRoiPool: moving,
  MaxUnpool: moving,
  NonMaxSuppression: moving,
  Resize: moving,
  RoiAlign: moving,
  SpaceToDepth: moving,
  Upsample: moving,
};
