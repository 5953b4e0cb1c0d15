import type { Graph } from '../../ir/graph.js';
import { addActivation, addConv, addLinear } from '../block/layer.js';
import { createTaskBuilder } from '../conv-decode.js';
import type { TaskShape } from '../space.js';

/**
 * LeNet-5 (LeCun et al. 1998) as it is trained today, with ReLU and max pooling: 6 and 16 filters of
 * 5×5, hidden layers of 120 and 84. The original reads 32×32; smaller images are padded by the first
 * convolution, images too small for the second keep their size there.
 */
export function createLenet(task: TaskShape): Graph {
  const builder = createTaskBuilder('lenet-5', task);
  const side = Math.min(task.height, task.width);
  const pool = { kernel_shape: [2, 2], strides: [2, 2] };
  let value = addConv(builder, 'image', 'conv1', {
    width: 6,
    kernel: 5,
    padding: side < 32 ? 2 : 0,
    bias: true,
  });
  value = addActivation(builder, value, 'act1', 'relu');
  value = builder.op('MaxPool', [value], pool, 'pool1');
  value = addConv(builder, value, 'conv2', {
    width: 16,
    kernel: 5,
    padding: side < 16 ? 2 : 0,
    bias: true,
  });
  value = addActivation(builder, value, 'act2', 'relu');
  value = builder.op('MaxPool', [value], pool, 'pool2');
  value = builder.op('Flatten', [value], { axis: 1 }, 'flatten');
  value = addActivation(builder, addLinear(builder, value, 'hidden1', 120), 'act3', 'relu');
  value = addActivation(builder, addLinear(builder, value, 'hidden2', 84), 'act4', 'relu');
  builder.output(addLinear(builder, value, 'logits', task.classes));
  return builder.build();
}
