/** A float model in the form that quantisation reads: the same function in fewer, newer operators. */
import { createTensorData, type HostTensor } from '../../util/tensor.js';
import { type Graph, type Initializer, type Node, withGraph } from '../graph.js';
import { inferTypes } from '../infer.js';
import { capturedBy, countUses, producersOf } from '../uses.js';
import { removeDeadNodes } from './dead-nodes.js';
import { foldBatchNorm } from './fold-batch-norm.js';
import { freshNamer } from './fresh-names.js';
import { type Pass, type PassResult, runPasses } from './pass.js';
import { storeConstants, storeWeights } from './store-constants.js';
import { upgradeOpset } from './upgrade-opset.js';

/**
 * Constants and weights stored, opset 13 or newer, no Identity inside, batch normalisation and constant biases
 * folded into their layers, Sum of two written as Add. Throws `UsageError` for a model of an
 * older opset that has no translation.
 */
export const prepareQuantization: Pass = (graph) =>
  runPasses(graph, [
    storeConstants,
    upgradeOpset,
    removeIdentities,
    storeWeights,
    foldBatchNorm,
    foldConvBias,
    writeGemm,
    writeSumAsAdd,
    removeDeadNodes,
  ]);

/** Lets readers of an Identity read its input. Those that make an output, or that bodies read, stay. */
export const removeIdentities: Pass = (graph) => {
  const fixed = new Set([
    ...graph.outputs.map(({ name }) => name),
    ...graph.nodes.flatMap(capturedBy),
  ]);
  const renamed = new Map<string, string>();
  const rename = (name: string) => renamed.get(name) ?? name;
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const inputs = node.inputs.map(rename);
    const [output = ''] = node.outputs;
    if (node.op === 'Identity' && node.domain === '' && !fixed.has(output)) {
      renamed.set(output, inputs[0] as string);
      return [];
    }
    return [{ ...node, inputs }];
  });
  return renamed.size === 0
    ? { graph, changed: false }
    : { graph: withGraph(graph, { nodes }), changed: true };
};

const writeSumAsAdd: Pass = (graph) => {
  const isPair = (node: Node) =>
    node.op === 'Sum' && node.domain === '' && node.inputs.length === 2;
  if (!graph.nodes.some(isPair)) return { graph, changed: false };
  const nodes = graph.nodes.map((node) => (isPair(node) ? { ...node, op: 'Add' } : node));
  return { graph: withGraph(graph, { nodes }), changed: true };
};

/** Conv, then Add of a stored value per channel that alone reads it: the Add becomes the bias. */
export const foldConvBias: Pass = (graph) =>
  foldAdds(graph, 'Conv', (conv, stored, term) => {
    const bias = sumOfBiases(conv, stored, term);
    return bias && { bias, node: conv };
  });

/** MatMul of a matrix and a stored one, then Add of a stored row that alone reads it: a Gemm. */
export const writeGemm: Pass = (graph) => {
  const types = inferTypes(graph);
  return foldAdds(graph, 'MatMul', (product, stored, term) => {
    const [x = '', w = ''] = product.inputs;
    const weight = stored.get(w);
    const columns = weight?.dims[1];
    const fits = term?.data?.length === columns && term?.dims.at(-1) === columns;
    const isPlain = types.get(x)?.shape?.length === 2 && weight?.dims.length === 2;
    if (!isPlain || !fits || term?.data === undefined || term.dims.length > 2) return undefined;
    const bias: HostTensor = { dtype: term.dtype, dims: [columns as number], data: term.data };
    return { bias, node: { ...product, op: 'Gemm' } };
  });
};

type Stored = ReadonlyMap<string, Initializer>;

/** What takes the place of a layer and the Add behind it; its bias becomes input 2. */
interface Folded {
  readonly node: Node;
  readonly bias: HostTensor;
}

/** Folds each Add whose one term comes from a node `op` that nobody else reads. */
function foldAdds(
  graph: Graph,
  op: string,
  fold: (layer: Node, stored: Stored, term: Initializer | undefined) => Folded | undefined,
): PassResult {
  const stored = new Map(graph.initializers.map((one) => [one.name, one]));
  const producers = producersOf(graph);
  const uses = countUses(graph);
  const fresh = freshNamer(graph);
  const replaced = new Map<Node, readonly Node[]>();
  const added: Initializer[] = [];
  for (const add of graph.nodes) {
    if (add.op !== 'Add' || add.domain !== '') continue;
    for (const [x = '', term = ''] of [add.inputs, add.inputs.toReversed()]) {
      const layer = producers.get(x);
      if (layer?.op !== op || layer.domain !== '' || uses.get(x) !== 1) continue;
      const folded = fold(layer, stored, stored.get(term));
      if (folded === undefined) continue;
      const name = fresh(`${layer.name}.bias`);
      added.push({ ...folded.bias, name, role: 'weight' });
      const inputs = [...layer.inputs.slice(0, 2), name];
      replaced.set(layer, [{ ...folded.node, inputs, outputs: add.outputs }]);
      replaced.set(add, []);
      break;
    }
  }
  if (replaced.size === 0) return { graph, changed: false };
  const nodes = graph.nodes.flatMap((node) => replaced.get(node) ?? [node]);
  const initializers = [...graph.initializers, ...added];
  return { graph: removeDeadNodes(withGraph(graph, { nodes, initializers })).graph, changed: true };
}

/** The bias of `conv` plus `term` of [C,1,…] or [1,C,1,…], which must have one value per channel. */
function sumOfBiases(
  conv: Node,
  stored: Stored,
  term: Initializer | undefined,
): HostTensor | undefined {
  const weight = stored.get(conv.inputs[1] ?? '');
  const own = stored.get(conv.inputs[2] ?? '');
  if ((conv.inputs[2] ?? '') !== '' && own?.data === undefined) return undefined;
  if (term?.data === undefined || term.dtype !== 'float32' || weight === undefined)
    return undefined;
  const channels = weight.dims[0] as number;
  const spatial = weight.dims.length - 2;
  const dims = term.dims.length === spatial + 2 ? term.dims.slice(1) : term.dims;
  const leads = term.dims.length === spatial + 1 || term.dims[0] === 1;
  const perChannel = dims.length === spatial + 1 && dims[0] === channels;
  if (!leads || !perChannel || term.data.length !== channels) return undefined;
  const data = createTensorData('float32', channels);
  for (let c = 0; c < channels; c++) data[c] = Number(term.data[c]) + Number(own?.data?.[c] ?? 0);
  return { dtype: 'float32', dims: [channels], data };
}
