/**
 * Weights drawn by the evaluator, never by an agent. What a tensor is follows from the node that reads
 * it: kernels are Kaiming normal (arXiv 1502.01852) over fan-out, matrices over fan-in, with gain 2
 * where something like a ReLU follows; biases are 0; scales 1; running mean 0 and variance 1. All of a
 * recurrent layer of H units is uniform over ±1/√H, as PyTorch draws it.
 */
import { stringOf } from '../ir/attributes.js';
import type { Graph, Initializer, Node } from '../ir/graph.js';
import { withData } from '../ir/graph.js';
import { inferTypes } from '../ir/infer.js';
import { allNodes } from '../ir/uses.js';
import type { Rng } from '../util/random.js';
import { elementCount } from '../util/tensor.js';
import { isLayout } from './trainable.js';

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
/** Gates of recurrent layers: their weights have as many rows per unit. */
const GATES = { GRU: 3, LSTM: 4, RNN: 1 };
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
  for (const node of allNodes(graph)) {
    for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  }
  const drawn = new Map<string, Float32Array>();
  for (const initializer of graph.initializers) {
    if (initializer.role === 'constant') continue;
    if (initializer.data !== undefined && options.redraw !== true) continue;
    const draw = distribution(initializer, readers, graph);
    const stream = rng.fork(initializer.name);
    drawn.set(
      initializer.name,
      Float32Array.from({ length: elementCount(initializer.dims) }, () => draw(stream)),
    );
  }
  return withData(graph, drawn);
}

type Distribution = (rng: Rng) => number;

const zero: Distribution = () => 0;
const one: Distribution = () => 1;

function distribution(
  initializer: Initializer,
  readers: ReadonlyMap<string, readonly Node[]>,
  graph: Graph,
): Distribution {
  const { name, dims, reader } = asRead(initializer, readers, graph);
  const place = reader?.inputs.indexOf(name) ?? -1;
  const normal = (fan: number): Distribution => {
    const gain = reader !== undefined && rectified(reader, readers) ? 2 : 1;
    const deviation = Math.sqrt(gain / fan);
    return (rng) => deviation * rng.normal();
  };
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
    case 'Einsum':
      return normal(summedCount(reader, place, dims));
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
    case 'GRU':
    case 'LSTM':
    case 'RNN': {
      const rows = (dims[1] as number) / (place === 3 ? 2 : 1);
      const hidden = place === 7 ? rows / 3 : rows / GATES[reader.op];
      const bound = 1 / Math.sqrt(hidden);
      return (rng) => rng.range(-bound, bound);
    }
    case 'Mul':
    case 'Div':
      return one;
    case 'Add':
      // A bias, in whatever layout; a table of positions has more than one dim.
      if (dims.length < 2 || Math.max(...dims) === elementCount(dims)) return zero;
      return normal(dims[dims.length - 1] as number);
    default:
      return dims.length > 1 ? normal(dims[dims.length - 1] as number) : zero;
  }
}

/** The tensor as the node reads it that does more with it than change its layout. */
function asRead(
  { name, dims }: Initializer,
  readers: ReadonlyMap<string, readonly Node[]>,
  graph: Graph,
): Pick<Initializer, 'name' | 'dims'> & { readonly reader: Node | undefined } {
  let reader = readers.get(name)?.[0];
  if (reader === undefined || !isLayout(reader)) return { name, dims, reader };
  let value = name;
  while (reader !== undefined && isLayout(reader)) {
    value = reader.outputs[0] as string;
    reader = readers.get(value)?.[0];
  }
  const shape = inferTypes(graph).get(value)?.shape ?? dims;
  return {
    name: value,
    dims: shape.every((dim) => typeof dim === 'number') ? shape : dims,
    reader,
  };
}

/** Elements of an Einsum's operand that are summed into one of its output. */
function summedCount(node: Node, place: number, dims: readonly number[]): number {
  const [terms = '', output] = stringOf(node, 'equation', '').replaceAll(' ', '').split('->');
  const [before = '', after = ''] = (terms.split(',')[place] ?? '').split('...');
  const isSummed = (letter: string) =>
    output === undefined ? terms.split(letter).length > 2 : !output.includes(letter);
  const letters = [...before].map((letter, i) => ({ letter, size: dims[i] as number }));
  const last = [...after].map((letter, i) => ({
    letter,
    size: dims[dims.length - after.length + i] as number,
  }));
  const sizes = [...letters, ...last].filter(({ letter }) => isSummed(letter));
  return elementCount(sizes.map(({ size }) => size));
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
