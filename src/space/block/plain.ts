import type { PlainStage } from '../conv-architecture.js';
import type { Block } from './block.js';
import { addConvUnit } from './layer.js';

/** Convolution, norm, activation (VGG, arXiv 1409.1556, with batch normalisation). */
export const addPlain: Block<PlainStage> = (builder, input, prefix, genes, context) =>
  addConvUnit(builder, input, prefix, 1, { ...genes, ...context });
