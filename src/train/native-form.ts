/** The nodes of a forward pass that have a training form in our own kernels. */
import { createAttributes, floatOf, intOf, intsOf } from '../ir/attributes.js';
import type { GraphBuilder } from '../ir/builder.js';
import { elementCodes } from '../ir/element-codes.js';
import { NATIVE_DOMAIN, type Node } from '../ir/graph.js';
import { windowAttributes } from './gradient/convolution.js';
import { windowOf } from './gradient/window.js';

/** Whether the builder's graph may use our kernels on `value`. */
export function hasNativeForm(builder: GraphBuilder, value: string): boolean {
  return builder.imports(NATIVE_DOMAIN) && builder.typeOf(value).dtype === 'float32';
}

/** Batch normalisation over the batch's own statistics, which follow as further outputs. */
export function nativeBatchNorm(node: Node, statistics: readonly [string, string, string]): Node {
  return {
    ...node,
    op: 'TrainingBatchNorm',
    domain: NATIVE_DOMAIN,
    inputs: node.inputs.slice(0, 3),
    outputs: [node.outputs[0] as string, ...statistics],
    attributes: createAttributes('TrainingBatchNorm', { epsilon: floatOf(node, 'epsilon', 1e-5) }),
  };
}

/** A convolution over planes; undefined for other numbers of spatial dimensions. */
export function nativeConv(builder: GraphBuilder, node: Node): Node | undefined {
  const [x = '', w = ''] = node.inputs;
  const kernel = builder.dimsOf(w).slice(2);
  if (kernel.length !== 2) return undefined;
  const large = builder.dimsOf(x).slice(2);
  const strides = intsOf(node, 'strides') ?? [1, 1];
  // With automatic padding every stride has its output; without, this is not looked at.
  const small = large.map((size, i) => Math.ceil(size / (strides[i] as number)));
  const window = windowOf(node, kernel, large, small);
  const { kernel_shape: _, ...attributes } = windowAttributes(window, intOf(node, 'group', 1));
  return {
    ...node,
    op: 'TrainingConv',
    domain: NATIVE_DOMAIN,
    attributes: createAttributes('TrainingConv', attributes),
  };
}

/** The operators of random tensors, with whether they are normal and the names of their attributes. */
const drawing: Readonly<Record<string, readonly [normal: 0 | 1, offset: string, scale: string]>> = {
  RandomNormal: [1, 'mean', 'scale'],
  RandomNormalLike: [1, 'mean', 'scale'],
  RandomUniform: [0, 'low', 'high'],
  RandomUniformLike: [0, 'low', 'high'],
};

/**
 * A random float32 tensor whose draws are a function of seed and run, so that a training which goes on
 * at any step draws what it would have drawn without the stop; undefined for other nodes.
 *
 * @param run a scalar with the number of the run.
 */
export function nativeDraws(
  builder: GraphBuilder,
  node: Node,
  seed: number,
  run: string,
): Node | undefined {
  const names = drawing[node.op];
  const [x] = node.inputs;
  const likes = x === undefined ? 'float32' : builder.typeOf(x).dtype;
  const type = intOf(node, 'dtype', elementCodes[likes]);
  if (names === undefined || type !== elementCodes.float32 || likes !== 'float32') return undefined;
  const [normal, from, to] = names;
  const offset = floatOf(node, from, 0);
  const end = floatOf(node, to, 1);
  const like =
    x ?? builder.op('Expand', [builder.scalar(0), builder.ints(intsOf(node, 'shape') ?? [])]);
  return {
    ...node,
    op: 'TensorDraws',
    domain: NATIVE_DOMAIN,
    inputs: [like, run],
    attributes: createAttributes('TensorDraws', {
      normal,
      offset,
      scale: normal === 1 ? end : end - offset,
      seed,
    }),
  };
}
