/**
 * Folds BatchNormalization in inference form into the Conv or Gemm before it. With
 * s = scale / √(variance + ε) per output channel: W' = s·W, b' = s·(b − mean) + bias.
 */
import { createTensorData, elementCount, type HostTensor } from '../../util/tensor.js';
import { floatOf, intOf } from '../attributes.js';
import { type Graph, type Initializer, type Node, withGraph } from '../graph.js';
import { countUses, producersOf } from '../uses.js';
import { removeDeadNodes } from './dead-nodes.js';
import { freshNamer } from './fresh-names.js';
import type { Pass } from './pass.js';

/**
 * Folds every BatchNormalization whose input comes from a Conv or Gemm that nobody else reads, where
 * all tensors of both are stored, with data, in float32 or float64. Others stay. Computed in
 * float64. Shared weights are copied, not changed.
 */
export const foldBatchNorm: Pass = (graph) => {
  const uses = countUses(graph);
  const producers = producersOf(graph);
  const read = readerOf(graph);
  const fresh = freshNamer(graph);
  const replacements = new Map<Node, readonly Node[]>();
  const added: Initializer[] = [];
  for (const norm of graph.nodes) {
    const [source = ''] = norm.inputs;
    const layer = producers.get(source);
    if (!isInferenceNorm(norm) || layer === undefined || uses.get(source) !== 1) continue;
    const affine = readAffine(norm, read);
    const linear = readLinear(layer, read);
    if (affine === undefined || linear?.channels !== affine.scale.length) continue;
    const tensors = foldAffine(linear, affine);
    const weight = { ...tensors.weight, name: fresh(`${layer.name}.folded.weight`) };
    const bias = { ...tensors.bias, name: fresh(`${layer.name}.folded.bias`) };
    added.push({ ...weight, role: 'weight' }, { ...bias, role: 'weight' });
    const inputs = [layer.inputs[0] as string, weight.name, bias.name];
    replacements.set(layer, [{ ...layer, inputs, outputs: norm.outputs.slice(0, 1) }]);
    replacements.set(norm, []);
  }
  if (added.length === 0) return { graph, changed: false };
  const nodes = graph.nodes.flatMap((node) => replacements.get(node) ?? [node]);
  const initializers = [...graph.initializers, ...added];
  return { graph: removeDeadNodes(withGraph(graph, { nodes, initializers })).graph, changed: true };
};

function isInferenceNorm(node: Node): boolean {
  const isNorm = node.op === 'BatchNormalization' && node.domain === '';
  const isSingle = node.outputs.slice(1).every((name) => name === '');
  return isNorm && isSingle && intOf(node, 'training_mode', 0) === 0;
}

type Reader = (name: string | undefined) => HostTensor | undefined;

/** Stored tensors with data in a type that JavaScript computes in. */
function readerOf(graph: Graph): Reader {
  const stored = new Map(graph.initializers.map((initializer) => [initializer.name, initializer]));
  return (name) => {
    const { dtype, dims, data } = stored.get(name ?? '') ?? {};
    const isFloat = dtype === 'float32' || dtype === 'float64';
    return isFloat && dims && data ? { dtype, dims, data } : undefined;
  };
}

/** y = scale·x + shift per channel. */
interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

function readAffine(norm: Node, read: Reader): Affine | undefined {
  const [gamma, beta, mean, variance] = norm.inputs.slice(1).map((name) => read(name)?.data);
  if (!gamma || !beta || !mean || !variance) return undefined;
  const epsilon = floatOf(norm, 'epsilon', 1e-5);
  const scale = Float64Array.from(
    { length: variance.length },
    (_, c) => Number(gamma[c]) / Math.sqrt(Number(variance[c]) + epsilon),
  );
  const shift = scale.map((s, c) => Number(beta[c]) - s * Number(mean[c]));
  return { scale, shift };
}

/** A Conv or Gemm with stored tensors. */
interface Linear {
  readonly weight: HostTensor;
  readonly bias: HostTensor | undefined;
  readonly channels: number;
  /** Distance in memory between the weights of two neighbouring output channels. */
  readonly stride: number;
}

function readLinear(layer: Node, read: Reader): Linear | undefined {
  if (layer.domain !== '') return undefined;
  const weight = read(layer.inputs[1]);
  const bias = read(layer.inputs[2]);
  const hasBias = (layer.inputs[2] ?? '') !== '';
  if (weight === undefined || (hasBias && bias === undefined)) return undefined;
  const isRows = layer.op === 'Conv' || (layer.op === 'Gemm' && intOf(layer, 'transB', 0) === 1);
  if (!isRows && layer.op !== 'Gemm') return undefined;
  if (layer.op === 'Gemm' && !isPlain(layer)) return undefined;
  const channels = weight.dims[isRows ? 0 : 1] as number;
  if (bias !== undefined && (bias.data.length !== channels || bias.dims.at(-1) !== channels)) {
    return undefined;
  }
  return { weight, bias, channels, stride: isRows ? weight.data.length / channels : 1 };
}

const isPlain = (gemm: Node) => floatOf(gemm, 'alpha', 1) === 1 && floatOf(gemm, 'beta', 1) === 1;

function foldAffine({ weight, bias, channels, stride }: Linear, { scale, shift }: Affine) {
  const { dtype } = weight;
  const create = (dims: readonly number[], valueAt: (i: number) => number): HostTensor => {
    const data = createTensorData(dtype, elementCount(dims));
    for (let i = 0; i < data.length; i++) data[i] = valueAt(i);
    return { dtype, dims, data };
  };
  const at = (values: Float64Array, channel: number) => values[channel] as number;
  return {
    weight: create(
      weight.dims,
      (i) => Number(weight.data[i]) * at(scale, Math.floor(i / stride) % channels),
    ),
    bias: create([channels], (c) => Number(bias?.data[c] ?? 0) * at(scale, c) + at(shift, c)),
  };
}
