import type { Graph } from '../../ir/graph.js';
import { addConvUnit, addGlobalPool, addLinear } from '../block/layer.js';
import { addResidual } from '../block/residual.js';
import { createTaskBuilder } from '../conv-decode.js';
import type { TaskShape } from '../space.js';

const WIDTHS = [16, 32, 64];

/**
 * ResNet for small images (arXiv 1512.03385, §4.2): three stages of widths 16, 32, 64 with
 * `blocksPerStage` basic blocks each: 1 makes ResNet-8, 2 ResNet-14, 3 ResNet-20. Shortcuts that
 * change the shape are 1×1 convolutions (the paper's option B). Images of 64 pixels and more enter
 * through a stem of stride 2.
 */
export function createResnet(task: TaskShape, blocksPerStage = 1): Graph {
  const builder = createTaskBuilder(`resnet-${6 * blocksPerStage + 2}`, task);
  const activation = 'relu';
  const norm = 'batch';
  let value = addConvUnit(builder, 'image', 'stem', '', {
    width: 16,
    kernel: 3,
    stride: Math.min(task.height, task.width) < 64 ? 1 : 2,
    norm,
    activation,
  });
  WIDTHS.forEach((width, s) => {
    for (let b = 0; b < blocksPerStage; b++) {
      const stride = s > 0 && b === 0 ? 2 : 1;
      const stage = { block: 'residual', depth: blocksPerStage, width, stride, kernel: 3 } as const;
      const genes = { ...stage, activation, squeezeExcite: false } as const;
      const prefix = `stage${s + 1}.block${b + 1}`;
      value = addResidual(builder, value, prefix, genes, { norm, stride });
    }
  });
  value = addGlobalPool(builder, value, 'head');
  builder.output(addLinear(builder, value, 'logits', task.classes));
  return builder.build();
}
