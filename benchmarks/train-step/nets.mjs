/** The nets of train-step.mjs: what they read, and how many steps a round of each takes. */
import { GraphBuilder } from '../../dist/ir/builder.js';
import { createConvNext } from '../../dist/space/baseline/convnext.js';
import { createLenet } from '../../dist/space/baseline/lenet.js';
import { createMobileNet } from '../../dist/space/baseline/mobilenet.js';
import { createResnet } from '../../dist/space/baseline/resnet.js';
import { addActivation, addLinear } from '../../dist/space/block/layer.js';

export const CLASSES = 10;

const gray = { channels: 1, height: 28, width: 28, classes: CLASSES };
const colour = { channels: 3, height: 32, width: 32, classes: CLASSES };
const image = (create, task, steps) => ({
  create: () => create(task),
  rowDims: [task.channels, task.height, task.width],
  steps,
});

export const nets = {
  lenet: image(createLenet, gray, 20),
  resnet20: image((task) => createResnet(task, 3), colour, 6),
  mobilenet28: image(createMobileNet, gray, 10),
  mobilenet32: image(createMobileNet, colour, 10),
  convnext: image(createConvNext, gray, 10),
  transformer: { create: createTransformer, rowDims: [256, 32], steps: 3 },
  mlp: { create: createMlp, rowDims: [784], steps: 20 },
};

/** 784-512-512-10 with ReLU. */
function createMlp() {
  const b = new GraphBuilder('mlp');
  let value = b.input('image', 'float32', ['N', 784]);
  for (const name of ['hidden1', 'hidden2']) {
    value = addActivation(b, addLinear(b, value, name, 512), `${name}.relu`, 'relu');
  }
  b.output(addLinear(b, value, 'logits', CLASSES));
  return b.build();
}

const LENGTH = 256;
const WIDTH = 128;
const HEADS = 4;
const HIDDEN = 512;

/**
 * Encoder of 4 layers (arXiv 1706.03762, normalisation first), GELU, over sequences of 256 vectors;
 * the mean over the sequence is classified. As exporters write it: attention and GELU as plain nodes.
 */
function createTransformer() {
  const b = new GraphBuilder('transformer');
  b.input('image', 'float32', ['N', LENGTH, 32]);
  let value = addDense(b, 'image', 'embed', 32, WIDTH);
  value = b.op('Add', [value, b.weight('position', [LENGTH, WIDTH])], {}, 'positioned');
  for (let layer = 1; layer <= 4; layer++) {
    const prefix = `layer${layer}`;
    const attention = addAttention(b, addLayerNorm(b, value, `${prefix}.norm1`), prefix);
    value = b.op('Add', [value, attention], {}, `${prefix}.mid`);
    let hidden = addLayerNorm(b, value, `${prefix}.norm2`);
    hidden = addDense(b, hidden, `${prefix}.expand`, WIDTH, HIDDEN);
    hidden = addActivation(b, hidden, `${prefix}.gelu`, 'gelu');
    hidden = addDense(b, hidden, `${prefix}.contract`, HIDDEN, WIDTH);
    value = b.op('Add', [value, hidden], {}, `${prefix}.out`);
  }
  value = addLayerNorm(b, value, 'norm');
  value = b.op('ReduceMean', [value], { axes: [1], keepdims: 0 }, 'mean');
  b.output(addLinear(b, value, 'logits', CLASSES));
  return b.build();
}

function addAttention(b, input, prefix) {
  const depth = WIDTH / HEADS;
  const project = (name, perm) => {
    const flat = addDense(b, input, `${prefix}.${name}`, WIDTH, WIDTH);
    const split = b.op('Reshape', [flat, b.ints([0, LENGTH, HEADS, depth])]);
    return b.op('Transpose', [split], { perm });
  };
  const scores = b.op('MatMul', [project('query', [0, 2, 1, 3]), project('key', [0, 2, 3, 1])]);
  const scaled = b.op('Mul', [scores, b.scalar(1 / Math.sqrt(depth))]);
  const shares = b.op('Softmax', [scaled], { axis: -1 });
  const mixed = b.op('MatMul', [shares, project('value', [0, 2, 1, 3])]);
  const joined = b.op('Transpose', [mixed], { perm: [0, 2, 1, 3] });
  const flat = b.op('Reshape', [joined, b.ints([0, LENGTH, WIDTH])]);
  return addDense(b, flat, `${prefix}.project`, WIDTH, WIDTH);
}

function addLayerNorm(b, input, name) {
  const inputs = [input, b.weight(`${name}.scale`, [WIDTH]), b.weight(`${name}.bias`, [WIDTH])];
  return b.op('LayerNormalization', inputs, { axis: -1, epsilon: 1e-5 }, name);
}

function addDense(b, input, name, from, to) {
  const product = b.op('MatMul', [input, b.weight(`${name}.weight`, [from, to])]);
  return b.op('Add', [product, b.weight(`${name}.bias`, [to])], {}, name);
}
