/** One kernel per operator, by family. */
import { elementwise } from './elementwise.js';
import type { Kernel } from './kernel.js';
import { layout } from './layout.js';
import { matrix } from './matrix.js';
import { native } from './native.js';
import { normalization } from './normalization.js';
import { quantization } from './quantization.js';
import { reduction } from './reduction.js';
import { sliding } from './sliding.js';

export const kernels: Readonly<Record<string, Kernel>> = {
  ...elementwise,
  ...layout,
  ...matrix,
  ...native,
  ...normalization,
  ...quantization,
  ...reduction,
  ...sliding,
};
