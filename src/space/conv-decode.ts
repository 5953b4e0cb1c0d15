import { GraphBuilder } from '../ir/builder.js';
import type { Graph } from '../ir/graph.js';
import type { BlockContext } from './block/block.js';
import { addInverted } from './block/inverted.js';
import { addActivation, addConvUnit, addGlobalPool, addLinear } from './block/layer.js';
import { addPlain } from './block/plain.js';
import { addResidual } from './block/residual.js';
import { addSeparable } from './block/separable.js';
import type { ConvArchitecture, Stage } from './conv-architecture.js';
import type { TaskShape } from './space.js';

/** A builder that has the input `image`, float32 [N, channels, height, width]. */
export function createTaskBuilder(name: string, task: TaskShape): GraphBuilder {
  const builder = new GraphBuilder(name);
  builder.input('image', 'float32', ['N', task.channels, task.height, task.width]);
  return builder;
}

/** The deployment graph of an architecture: `image` to `logits` [N, classes]. */
export function decodeConv(architecture: ConvArchitecture, task: TaskShape): Graph {
  const { norm, stem, stages, head } = architecture;
  const builder = createTaskBuilder('conv', task);
  let value = addConvUnit(builder, 'image', 'stem', '', { ...stem, norm });
  stages.forEach((stage, s) => {
    for (let b = 0; b < stage.depth; b++) {
      const context = { norm, stride: b === 0 ? stage.stride : 1 };
      value = addBlock(builder, value, `stage${s + 1}.block${b + 1}`, stage, context);
    }
  });
  value =
    head.pool === 'average'
      ? addGlobalPool(builder, value, 'head')
      : builder.op('Flatten', [value], { axis: 1 }, 'head.flatten');
  const last = stages.at(-1);
  if (head.hidden > 0 && last !== undefined) {
    value = addLinear(builder, value, 'head.hidden', head.hidden);
    value = addActivation(builder, value, 'head.act', last.activation);
  }
  builder.output(addLinear(builder, value, 'logits', task.classes));
  return builder.build();
}

function addBlock(
  builder: GraphBuilder,
  input: string,
  prefix: string,
  stage: Stage,
  context: BlockContext,
): string {
  switch (stage.block) {
    case 'plain':
      return addPlain(builder, input, prefix, stage, context);
    case 'residual':
      return addResidual(builder, input, prefix, stage, context);
    case 'separable':
      return addSeparable(builder, input, prefix, stage, context);
    case 'inverted':
      return addInverted(builder, input, prefix, stage, context);
  }
}
