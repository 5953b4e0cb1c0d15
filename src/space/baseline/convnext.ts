import type { GraphBuilder } from '../../ir/builder.js';
import type { Graph } from '../../ir/graph.js';
import { addActivation, addConv, addGlobalPool, addLinear, channelsOf } from '../block/layer.js';
import { createTaskBuilder } from '../conv-decode.js';
import type { TaskShape } from '../space.js';

/** Width and depth of each stage. */
const STAGES = [
  [24, 2],
  [48, 2],
] as const;
const EXPANSION = 4;
const TO_CHANNELS_LAST = [0, 2, 3, 1];
const TO_CHANNELS_FIRST = [0, 3, 1, 2];

/**
 * ConvNeXt (arXiv 2201.03545) in small: patches, 7×7 depthwise convolutions, layer normalisation over
 * channels, an MLP of 1×1 convolutions in channels-last order, GELU, layer scale. Two stages instead
 * of four, and patches of 2×2 below 64 pixels, for the original's downsampling by 32 leaves nothing of
 * a small image.
 */
export function createConvNext(task: TaskShape): Graph {
  const builder = createTaskBuilder('convnext', task);
  const patch = Math.min(task.height, task.width) < 64 ? 2 : 4;
  let value = 'image';
  STAGES.forEach(([width, depth], s) => {
    const prefix = `stage${s + 1}`;
    const size = s === 0 ? patch : 2;
    if (s > 0) value = addImageNorm(builder, value, `${prefix}.norm`);
    const halving = { width, kernel: size, stride: size, padding: 0, bias: true };
    value = addConv(builder, value, `${prefix}.down`, halving);
    if (s === 0) value = addImageNorm(builder, value, `${prefix}.norm`);
    for (let b = 0; b < depth; b++) value = addBlock(builder, value, `${prefix}.block${b + 1}`);
  });
  value = addGlobalPool(builder, value, 'head');
  value = addLayerNorm(builder, value, 'head.norm', channelsOf(builder, value));
  builder.output(addLinear(builder, value, 'logits', task.classes));
  return builder.build();
}

function addBlock(builder: GraphBuilder, input: string, prefix: string): string {
  const width = channelsOf(builder, input);
  const depthwise = { width, kernel: 7, groups: width, bias: true };
  let value = addConv(builder, input, `${prefix}.depthwise`, depthwise);
  value = builder.op('Transpose', [value], { perm: TO_CHANNELS_LAST }, `${prefix}.last`);
  value = addLayerNorm(builder, value, `${prefix}.norm`, width);
  value = addDense(builder, value, `${prefix}.expand`, width, EXPANSION * width);
  value = addActivation(builder, value, `${prefix}.act`, 'gelu');
  value = addDense(builder, value, `${prefix}.project`, EXPANSION * width, width);
  const scale = builder.weight(`${prefix}.layerscale.scale`, [width]);
  value = builder.op('Mul', [value, scale], {}, `${prefix}.layerscale`);
  value = builder.op('Transpose', [value], { perm: TO_CHANNELS_FIRST }, `${prefix}.first`);
  return builder.op('Add', [value, input], {}, `${prefix}.add`);
}

/** Layer normalisation over the last axis, of size `width`. */
function addLayerNorm(builder: GraphBuilder, input: string, name: string, width: number): string {
  const scale = builder.weight(`${name}.scale`, [width]);
  const bias = builder.weight(`${name}.bias`, [width]);
  return builder.op('LayerNormalization', [input, scale, bias], { axis: -1, epsilon: 1e-6 }, name);
}

/** Layer normalisation over the channels of [N, C, H, W]. */
function addImageNorm(builder: GraphBuilder, input: string, name: string): string {
  const width = channelsOf(builder, input);
  const last = builder.op('Transpose', [input], { perm: TO_CHANNELS_LAST }, `${name}.last`);
  const normed = addLayerNorm(builder, last, name, width);
  return builder.op('Transpose', [normed], { perm: TO_CHANNELS_FIRST }, `${name}.first`);
}

/** Fully connected layer over the last axis. */
function addDense(
  builder: GraphBuilder,
  input: string,
  name: string,
  from: number,
  to: number,
): string {
  const product = builder.op(
    'MatMul',
    [input, builder.weight(`${name}.weight`, [from, to])],
    {},
    `${name}.matmul`,
  );
  return builder.op('Add', [product, builder.weight(`${name}.bias`, [to])], {}, name);
}
