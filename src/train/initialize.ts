/**
 * Weights drawn by the evaluator, never by an agent. What a tensor is follows from the node that reads
 * it: kernels are Kaiming normal (arXiv 1502.01852) over fan-out, matrices over fan-in, with gain 2
 * where something like a ReLU follows; biases are 0; scales 1; running mean 0 and variance 1.
 */
import type { Graph, Initializer, Node } from '../ir/graph.js';
import { withData } from '../ir/graph.js';
import type { Rng } from '../util/random.js';
import { elementCount } from '../util/tensor.js';

export interface DrawOptions {
  /** Also redraw tensors that have data (default false). */
  readonly redraw?: boolean;
}

const RECTIFIERS = new Set([
  'Relu',
  'LeakyRelu',
  'Clip',
  'HardSwish',
  'Elu',
  'Softplus',
  'Erf',
  'Sigmoid',
]);
/** Nodes between a layer and its activation. */
const TRANSPARENT = new Set([
  'BatchNormalization',
  'GroupNormalization',
  'InstanceNormalization',
  'LayerNormalization',
  'RMSNormalization',
  'Add',
  'Div',
  'Reshape',
  'Identity',
]);

/** The graph with data for all weights and states; each tensor has a random stream of its own. */
export function drawWeights(graph: Graph, rng: Rng, options: DrawOptions = {}): Graph {
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const drawn = new Map<string, Float32Array>();
  for (const initializer of graph.initializers) {
    if (initializer.role === 'constant') continue;
    if (initializer.data !== undefined && options.redraw !== true) continue;
    const reader = readers.get(initializer.name)?.[0];
    const { mean, deviation } = distribution(initializer, reader, readers);
    const stream = rng.fork(initializer.name);
    drawn.set(
      initializer.name,
      Float32Array.from({ length: elementCount(initializer.dims) }, () =>
        deviation === 0 ? mean : mean + deviation * stream.normal(),
      ),
    );
  }
  return withData(graph, drawn);
}

interface Distribution {
  readonly mean: number;
  readonly deviation: number;
}

const zero: Distribution = { mean: 0, deviation: 0 };
const one: Distribution = { mean: 1, deviation: 0 };

function distribution(
  { name, dims }: Initializer,
  reader: Node | undefined,
  readers: ReadonlyMap<string, readonly Node[]>,
): Distribution {
  const place = reader?.inputs.indexOf(name) ?? -1;
  const normal = (fan: number): Distribution => ({
    mean: 0,
    deviation: Math.sqrt((reader !== undefined && rectified(reader, readers) ? 2 : 1) / fan),
  });
  switch (reader?.op) {
    case 'Conv': {
      if (place === 2) return zero;
      const group = reader.attributes.group;
      const groups = group?.kind === 'int' ? group.value : 1;
      return normal(((dims[0] as number) / groups) * elementCount(dims.slice(2)));
    }
    case 'ConvTranspose':
      return place === 2 ? zero : normal(elementCount(dims.slice(1)));
    case 'Gemm': {
      if (place === 2) return zero;
      const transposed = reader.attributes.transB;
      const rows = transposed?.kind === 'int' && transposed.value === 1;
      return normal(dims[rows ? 1 : 0] as number);
    }
    case 'MatMul':
      return normal(dims[place === 0 ? dims.length - 1 : Math.max(0, dims.length - 2)] as number);
    case 'BatchNormalization':
      return [zero, one, zero, zero, one][place] ?? zero;
    case 'CausalConvWithState':
      return place === 2 ? zero : normal(dims[2] as number);
    case 'GroupNormalization':
    case 'InstanceNormalization':
    case 'LayerNormalization':
    case 'RMSNormalization':
      return place === 1 ? one : zero;
    case 'Mul':
    case 'Div':
      return one;
    default:
      return dims.length > 1 ? normal(dims[dims.length - 1] as number) : zero;
  }
}

/** Whether a rectifying activation reads what the node makes, norms and bias additions skipped. */
function rectified(node: Node, readers: ReadonlyMap<string, readonly Node[]>, depth = 0): boolean {
  if (depth > 4) return false;
  const next = readers.get(node.outputs[0] ?? '') ?? [];
  return next.some(
    (reader) =>
      RECTIFIERS.has(reader.op) ||
      (TRANSPARENT.has(reader.op) && rectified(reader, readers, depth + 1)),
  );
}
