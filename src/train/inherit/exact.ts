/** Whether a node of the child computes what its partner in the parent does. */
import { isDeepStrictEqual } from 'node:util';
import { isDefault } from '../../ir/attribute-defaults.js';
import { intsOf } from '../../ir/attributes.js';
import type { Attribute, Node } from '../../ir/graph.js';
import { type AxisMap, covers, isIdentity } from './gather.js';
import { BROADCASTING, convKind, POOLING } from './trace.js';
import type { Transfer } from './transfer.js';

/** Operators of one input that work element by element. */
const ELEMENTWISE = new Set([
  'Abs',
  'Cast',
  'Ceil',
  'Clip',
  'Cos',
  'Dropout',
  'Elu',
  'Erf',
  'Exp',
  'Floor',
  'Gelu',
  'HardSigmoid',
  'HardSwish',
  'Identity',
  'LeakyRelu',
  'Log',
  'Mish',
  'Neg',
  'Reciprocal',
  'Relu',
  'Round',
  'Selu',
  'Sigmoid',
  'Sign',
  'Sin',
  'Softplus',
  'Softsign',
  'Sqrt',
  'Tanh',
]);
/** Other operators that treat each channel alone, and all alike. */
const CHANNELWISE = new Set([
  'BatchNormalization',
  'InstanceNormalization',
  'Flatten',
  'Transpose',
  'Concat',
]);
/** Attributes of a convolution that a larger kernel changes. */
const KERNEL = new Set(['kernel_shape', 'pads']);

/**
 * True if the operator and its attributes are the same, its inputs are images of the partner's, its
 * weights are exact, and repeating channels makes no difference to it.
 */
export function agrees(transfer: Transfer, node: Node, partner: Node): boolean {
  if (node.inputs.length !== partner.inputs.length) return false;
  if (!attributesAgree(transfer, node, partner)) return false;
  if (!node.inputs.every((name, i) => inputAgrees(transfer, name, partner.inputs[i] ?? ''))) {
    return false;
  }
  const maps = node.inputs.flatMap((name, i) => mapsOf(transfer, name, partner.inputs[i] ?? ''));
  if (ELEMENTWISE.has(node.op) || CHANNELWISE.has(node.op) || POOLING.has(node.op)) return true;
  const weight = transfer.childInitializers.get(node.inputs[1] ?? '');
  switch (node.op) {
    case 'Conv':
      // `isExact` of a dense kernel says that all channels of the parent are read.
      return (
        (weight !== undefined && convKind(node, weight.dims) !== 'grouped') ||
        maps.every(isIdentity)
      );
    case 'Gemm':
    case 'MatMul':
      return weight !== undefined || maps.every(isIdentity);
    case 'LayerNormalization':
      return maps.every(isEven);
    default:
      if (BROADCASTING.has(node.op)) return sidesAgree(transfer, node, partner);
      return maps.every(isIdentity);
  }
}

function inputAgrees(transfer: Transfer, name: string, other: string): boolean {
  const own = transfer.childInitializers.get(name);
  if (own === undefined) return name === '' ? other === '' : transfer.images.get(name) === other;
  const theirs = transfer.parentInitializers.get(other);
  if (theirs === undefined) return false;
  if (own.role === 'constant') {
    return isDeepStrictEqual([own.dims, own.data], [theirs.dims, theirs.data]);
  }
  const tensor = transfer.tensors.get(name);
  return tensor?.source === other && tensor.isExact;
}

function mapsOf(transfer: Transfer, name: string, other: string): readonly AxisMap[] {
  return transfer.childInitializers.has(name) ? [] : (transfer.axesOf(name, other) ?? []);
}

/** The operands of an element-wise operator repeat their channels as its result does. */
function sidesAgree(transfer: Transfer, node: Node, partner: Node): boolean {
  const { channels, map } = transfer.parts;
  const [y = ''] = node.outputs;
  const [theirs = ''] = partner.outputs;
  const [labels, targets] = [channels.child.of(y), channels.parent.of(theirs)];
  return node.inputs.every((name, i) => {
    const [own, other] = [channels.child.of(name), channels.parent.of(partner.inputs[i] ?? '')];
    // A constant along a labelled axis has an entry for each of the parent's channels, as they are.
    const role = transfer.childInitializers.get(name)?.role;
    return own.every((label, axis) => {
      if (label === undefined) return true;
      const at = axis + labels.length - own.length;
      const [mine, result] = [map.axis(label, other[axis]), map.axis(labels[at], targets[at])];
      if (role === 'constant' && !result?.every((entry, k) => entry === k)) return false;
      return isDeepStrictEqual(mine, result);
    });
  });
}

function isEven(axis: AxisMap): boolean {
  return covers(axis) && axis.from.length % axis.parentLength === 0;
}

function attributesAgree(transfer: Transfer, node: Node, partner: Node): boolean {
  const names = new Set([...Object.keys(node.attributes), ...Object.keys(partner.attributes)]);
  const isDepthwise = node.op === 'Conv' && isDepthwiseConv(transfer, node);
  for (const name of names) {
    const [a, b] = [node.attributes[name], partner.attributes[name]];
    if (isSameAttribute(a, b)) continue;
    if (node.op === 'Conv' && KERNEL.has(name)) continue;
    if (isDepthwise && name === 'group') continue;
    const isImplied = (one: Attribute | undefined) =>
      one === undefined || isDefault(node.op, node.domain, name, one);
    if (!isImplied(a) || !isImplied(b)) return false;
  }
  return node.op !== 'Conv' || kernelsAgree(transfer, node, partner);
}

/** Files hold float32, so a graph that was read back has the nearest of them. */
function isSameAttribute(a: Attribute | undefined, b: Attribute | undefined): boolean {
  if (a?.kind === 'float' && b?.kind === 'float') {
    return Math.fround(a.value) === Math.fround(b.value);
  }
  return isDeepStrictEqual(a, b);
}

function isDepthwiseConv(transfer: Transfer, node: Node): boolean {
  const dims = transfer.childInitializers.get(node.inputs[1] ?? '')?.dims;
  return dims !== undefined && convKind(node, dims) === 'depthwise';
}

/** Taps sit over the same positions: the padding grew as the kernel did, on both sides. */
function kernelsAgree(transfer: Transfer, node: Node, partner: Node): boolean {
  const own = transfer.childInitializers.get(node.inputs[1] ?? '')?.dims.slice(2);
  const theirs = transfer.parentInitializers.get(partner.inputs[1] ?? '')?.dims.slice(2);
  if (own === undefined || theirs === undefined) {
    return isDeepStrictEqual(node.attributes, partner.attributes);
  }
  const none = own.flatMap(() => [0, 0]);
  const [pads, before] = [intsOf(node, 'pads') ?? none, intsOf(partner, 'pads') ?? none];
  const dilations = intsOf(node, 'dilations') ?? own.map(() => 1);
  return own.every((size, i) => {
    const [growth, dilation] = [size - (theirs[i] as number), dilations[i] as number];
    const first = Math.floor(growth / 2);
    const [begin, end] = [i, i + own.length];
    return (
      (pads[begin] as number) - (before[begin] as number) === first * dilation &&
      (pads[end] as number) - (before[end] as number) === (growth - first) * dilation
    );
  });
}
