/**
 * New layers in line that change nothing yet (Net2DeeperNet, arXiv 1511.05641): kernels that pass each
 * channel on, and batch norms that undo their own normalisation.
 */
import { floatOf, intOf, intsOf } from '../../ir/attributes.js';
import type { Graph, Initializer, Node } from '../../ir/graph.js';
import { elementCount } from '../../util/tensor.js';
import type { AxisLabel, Labels } from './channels.js';
import type { ChannelMap } from './mapping.js';
import { NONE } from './mapping.js';
import type { Moments } from './moments.js';
import { convKind } from './trace.js';

export type Weights = ReadonlyMap<string, Float32Array>;

/** Weights by name, for the lookups of this folder. */
export function initializersOf(graph: Graph): ReadonlyMap<string, Initializer> {
  return new Map(graph.initializers.map((one) => [one.name, one]));
}

/**
 * Weights with which a Conv, Gemm or MatMul makes of each channel itself, or what repeats it;
 * `undefined` where no weights do.
 * @param read labels of the layer's input, @param made of its output.
 */
export function identityLayer(
  node: Node,
  initializers: ReadonlyMap<string, Initializer>,
  map: ChannelMap,
  read: Labels,
  made: Labels,
): Weights | undefined {
  const weight = initializers.get(node.inputs[1] ?? '');
  if (weight === undefined || weight.role !== 'weight') return undefined;
  const { dims } = weight;
  const result = new Map<string, Float32Array>();
  const bias = initializers.get(node.inputs[2] ?? '');
  if (bias?.role === 'weight') result.set(bias.name, new Float32Array(elementCount(bias.dims)));
  const data = new Float32Array(elementCount(dims));
  result.set(weight.name, data);
  if (node.op === 'Conv') {
    const kind = convKind(node, dims);
    if (kind === 'grouped' || !keepsPositions(node, dims.slice(2))) return undefined;
    const taps = elementCount(dims.slice(2));
    const center = (taps - 1) / 2;
    if (kind === 'depthwise') {
      for (let c = 0; c < (dims[0] as number); c++) data[c * taps + center] = 1;
      return result;
    }
    const place = (o: number, i: number) => (o * (dims[1] as number) + i) * taps + center;
    return fillIdentity(data, place, map, read[1], made[1]) ? result : undefined;
  }
  if (node.op !== 'Gemm' && node.op !== 'MatMul') return undefined;
  if (floatOf(node, 'alpha', 1) !== 1 || dims.length !== 2) return undefined;
  const transposed = node.op === 'Gemm' && intOf(node, 'transB', 0) === 1;
  const width = dims[1] as number;
  const place = (o: number, i: number) => (transposed ? o * width + i : i * width + o);
  return fillIdentity(data, place, map, read.at(-1), made.at(-1)) ? result : undefined;
}

function keepsPositions(node: Node, kernel: readonly number[]): boolean {
  const strides = intsOf(node, 'strides') ?? [];
  const dilations = intsOf(node, 'dilations') ?? [];
  const pads = intsOf(node, 'pads') ?? kernel.flatMap(() => [0, 0]);
  return kernel.every((size, i) => {
    const pad = ((size - 1) / 2) * (dilations[i] ?? 1);
    return (strides[i] ?? 1) === 1 && pads[i] === pad && pads[i + kernel.length] === pad;
  });
}

/** Sets the weight of each output from the inputs that continue the same channel of the parent. */
function fillIdentity(
  data: Float32Array,
  place: (output: number, input: number) => number,
  map: ChannelMap,
  read: AxisLabel,
  made: AxisLabel,
): boolean {
  const [from, to] = [map.single(read), map.single(made)];
  if (from === undefined || to === undefined || from.group !== to.group) return false;
  return to.from.every((channel, o) => {
    const inputs = [...from.from.keys()].filter(
      (i) => channel !== NONE && from.from[i] === channel,
    );
    for (const i of inputs) data[place(o, i)] = 1 / inputs.length;
    return inputs.length > 0;
  });
}

/**
 * Parameters with which a batch norm hands on what it gets. Its running statistics are the moments of
 * its input where they are known, so that training, which normalises by the batch, changes little too.
 */
export function identityNorm(
  node: Node,
  channels: number,
  moments: Moments | undefined,
  channelMap: Int32Array | undefined,
): Weights {
  const epsilon = floatOf(node, 'epsilon', 1e-5);
  const at = (values: Float64Array | undefined, fallback: number) =>
    Float32Array.from(
      { length: channels },
      (_, c) => values?.[channelMap?.[c] ?? NONE] ?? fallback,
    );
  const mean = at(moments?.mean, 0);
  const variance = at(moments?.variance, 1);
  const scale = variance.map((one) => Math.sqrt(one + epsilon));
  const [, scaleName = '', biasName = '', meanName = '', varianceName = ''] = node.inputs;
  return new Map([
    [scaleName, scale],
    [biasName, mean],
    [meanName, mean],
    [varianceName, variance],
  ]);
}
