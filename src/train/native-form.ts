/** The nodes of a forward pass that have a training form in our own kernels. */
import { createAttributes, floatOf, intOf, intsOf } from '../ir/attributes.js';
import type { GraphBuilder } from '../ir/builder.js';
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
