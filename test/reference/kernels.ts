/** One kernel per operator, by family. */

import { aggregate } from './aggregate.js';
import { algebra } from './algebra.js';
import { attention } from './attention.js';
import { criterion } from './criterion.js';
import { elementwise } from './elementwise.js';
import { gather } from './gather.js';
import { generators } from './generate.js';
import { image } from './image.js';
import type { Kernel } from './kernel.js';
import { layout } from './layout.js';
import { math } from './math.js';
import { matrix } from './matrix.js';
import { native } from './native.js';
import { nativeSequence } from './native-sequence.js';
import { nativeUpdate } from './native-update.js';
import { normalization } from './normalization.js';
import { normalize } from './normalize.js';
import { quantized } from './quantized.js';
import { recurrent } from './recurrent.js';
import { reduction } from './reduction.js';
import { sliding } from './sliding.js';

export const kernels: Readonly<Record<string, Kernel>> = {
  ...aggregate,
  ...algebra,
  ...attention,
  ...criterion,
  ...gather,
  ...generators,
  ...image,
  ...math,
  ...normalize,
  ...quantized,
  ...recurrent,
  ...elementwise,
  ...layout,
  ...matrix,
  ...native,
  ...nativeSequence,
  ...nativeUpdate,
  ...normalization,
  ...reduction,
  ...sliding,
};
