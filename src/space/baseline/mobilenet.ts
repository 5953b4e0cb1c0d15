import type { Graph } from '../../ir/graph.js';
import { addInverted } from '../block/inverted.js';
import { addConvUnit, addGlobalPool, addLinear } from '../block/layer.js';
import { createTaskBuilder } from '../conv-decode.js';
import type { TaskShape } from '../space.js';

/** Expansion, width, depth, stride of each stage. */
const STAGES = [
  [1, 8, 1, 1],
  [6, 16, 2, 2],
  [6, 24, 3, 2],
  [6, 48, 2, 1],
] as const;

/**
 * MobileNetV2 (arXiv 1801.04381) at half width: its first, second, third and fifth stage, since small
 * images leave no room for the five halvings of the original. ReLU6, last 1×1 convolution and all.
 * Images of 64 pixels and more enter through a stem of stride 2.
 */
export function createMobileNet(task: TaskShape): Graph {
  const builder = createTaskBuilder('mobilenet-v2', task);
  const style = { norm: 'batch', activation: 'relu6' } as const;
  const stem = {
    width: 16,
    kernel: 3,
    stride: Math.min(task.height, task.width) < 64 ? 1 : 2,
    ...style,
  };
  let value = addConvUnit(builder, 'image', 'stem', '', stem);
  STAGES.forEach(([expansion, width, depth, stageStride], s) => {
    for (let b = 0; b < depth; b++) {
      const stride = b === 0 ? stageStride : 1;
      const stage = { block: 'inverted', depth, width, stride, kernel: 3, expansion } as const;
      const genes = { ...stage, activation: style.activation, squeezeExcite: false } as const;
      const prefix = `stage${s + 1}.block${b + 1}`;
      value = addInverted(builder, value, prefix, genes, { norm: style.norm, stride });
    }
  });
  value = addConvUnit(builder, value, 'head', '', { width: 160, kernel: 1, ...style });
  value = addGlobalPool(builder, value, 'head');
  builder.output(addLinear(builder, value, 'logits', task.classes));
  return builder.build();
}
