/**
 * Which nodes run in int8. The rules follow what ONNX Runtime fuses (its QDQ transformers): a node
 * whose inputs come out of DequantizeLinear and, where it has no float output form, whose output
 * goes into QuantizeLinear alone.
 *
 * - Cores: Conv, Gemm and MatMul with a stored weight. They decide; their input is quantised for them.
 * - Carriers: pooling, Add, Mul, Concat, Sigmoid and LeakyRelu between values that are int8 already.
 * - Movers: MaxPool, Reshape, Transpose and such, which keep scale and zero point; only on the way to
 *   another quantised node.
 *
 * Relu and Clip behind a node vanish in the range of its output. Gemm and MatMul have float outputs,
 * so the logits of a classifier are never rounded.
 */
import { floatOf, intOf } from '../attributes.js';
import type { Graph, Initializer, Node } from '../graph.js';
import { inferTypes } from '../infer.js';
import { countUses } from '../uses.js';

/** A core with its stored tensors. */
export interface Core {
  readonly weight: Initializer;
  readonly bias: Initializer | undefined;
  /** Axis of the output channels in the weight. */
  readonly axis: number;
}

export interface QuantizationPlan {
  readonly cores: ReadonlyMap<Node, Core>;
  /** Carriers and movers. */
  readonly others: ReadonlySet<Node>;
  /** Relu and Clip that vanish in the range of the value before them. */
  readonly absorbed: ReadonlySet<Node>;
  /** Values that exist in int8 for every reader, by the name of the value whose range they share. */
  readonly owned: ReadonlyMap<string, string>;
  /** Float values that are quantised for the cores that read them. */
  readonly borrowed: ReadonlySet<string>;
}

const activations: ReadonlySet<string> = new Set(['Relu', 'Clip']);
const movers: ReadonlySet<string> = new Set([
  'Flatten',
  'MaxPool',
  'Reshape',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);
/** Carriers and how many of their inputs are activations. */
const carriers: Readonly<Record<string, (node: Node) => number>> = {
  Add: () => 2,
  AveragePool: () => 1,
  Concat: ({ inputs }) => inputs.length,
  GlobalAveragePool: () => 1,
  LeakyRelu: () => 1,
  Mul: () => 2,
  Sigmoid: () => 1,
};

/** The plan for a graph of opset 13 or newer. Pure. */
export function planQuantization(graph: Graph): QuantizationPlan {
  const types = inferTypes(graph);
  const stored = new Map(graph.initializers.map((one) => [one.name, one]));
  const uses = countUses(graph);
  const readers = readersOf(graph);
  const cores = new Map<Node, Core>();
  const others = new Set<Node>();
  const absorbed = new Set<Node>();
  const owned = new Map<string, string>();
  const isActivation = (name: string | undefined): name is string =>
    name !== undefined && !stored.has(name) && types.get(name)?.dtype === 'float32';

  for (const node of graph.nodes) {
    if (node.domain !== '') continue;
    const [x] = node.inputs;
    const core = isActivation(x) ? coreOf(node, stored) : undefined;
    if (core !== undefined) cores.set(node, core);
    const carried = carriers[node.op]?.(node);
    const isCarrier =
      carried !== undefined && node.inputs.slice(0, carried).every((i) => owned.has(i));
    const isMover = movers.has(node.op) && owned.has(x ?? '') && node.outputs.length === 1;
    const output = node.outputs[0] as string;
    if (isMover) {
      others.add(node);
      owned.set(output, owned.get(x as string) as string);
    } else if (isCarrier || core !== undefined) {
      if (isCarrier) others.add(node);
      if (isCarrier || node.op === 'Conv') {
        const activation = activationBehind(output, readers, uses, stored);
        if (activation !== undefined) absorbed.add(activation);
        const end = activation?.outputs[0] ?? output;
        owned.set(end, end);
      }
    }
  }
  dropIdleMovers(graph, others, owned, cores, readers);
  const borrowed = new Set(
    [...cores.keys()].flatMap(({ inputs: [x = ''] }) => (owned.has(x) ? [] : [x])),
  );
  for (const node of cores.keys()) {
    const activation = activationBehind(node.outputs[0] as string, readers, uses, stored);
    const [output = ''] = activation?.outputs ?? [];
    const feedsCores = readers.get(output)?.every((reader) => cores.has(reader)) ?? false;
    if (activation !== undefined && borrowed.has(output) && feedsCores) absorbed.add(activation);
  }
  return { cores, others, absorbed, owned, borrowed };
}

/** Values whose ranges the plan needs. */
export function rangesNeeded({ owned, borrowed }: QuantizationPlan): string[] {
  return [...new Set([...owned.values(), ...borrowed])];
}

function readersOf(graph: Graph): ReadonlyMap<string, readonly Node[]> {
  const readers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const name of new Set(node.inputs)) {
      const list = readers.get(name);
      if (list === undefined) readers.set(name, [node]);
      else list.push(node);
    }
  }
  return readers;
}

function coreOf(node: Node, stored: ReadonlyMap<string, Initializer>): Core | undefined {
  const tensor = (i: number) => {
    const one = stored.get(node.inputs[i] ?? '');
    return one?.dtype === 'float32' && one.data !== undefined ? one : undefined;
  };
  const weight = tensor(1);
  const bias = tensor(2);
  const hasBias = (node.inputs[2] ?? '') !== '';
  if (weight === undefined || (hasBias && bias === undefined)) return undefined;
  const rank = weight.dims.length;
  switch (node.op) {
    case 'Conv':
      return rank >= 3 ? { weight, bias, axis: 0 } : undefined;
    case 'MatMul':
      return rank === 2 ? { weight, bias: undefined, axis: 1 } : undefined;
    case 'Gemm': {
      const axis = intOf(node, 'transB', 0) === 1 ? 0 : 1;
      const plain = intOf(node, 'transA', 0) === 0 && floatOf(node, 'alpha', 1) === 1;
      const fits =
        bias === undefined || (bias.dims.length === 1 && bias.dims[0] === weight.dims[axis]);
      return plain && floatOf(node, 'beta', 1) === 1 && fits ? { weight, bias, axis } : undefined;
    }
    default:
      return undefined;
  }
}

/** The Relu or Clip that alone reads the value. */
function activationBehind(
  value: string,
  readers: ReadonlyMap<string, readonly Node[]>,
  uses: ReadonlyMap<string, number>,
  stored: ReadonlyMap<string, Initializer>,
): Node | undefined {
  const [reader] = readers.get(value) ?? [];
  if (uses.get(value) !== 1 || reader === undefined || reader.domain !== '') return undefined;
  const fixed = reader.inputs.slice(1).every((name) => name === '' || stored.has(name));
  const fuses = activations.has(reader.op) && reader.inputs[0] === value && fixed;
  return fuses ? reader : undefined;
}

/** Movers pay only on the way to a quantised node. */
function dropIdleMovers(
  graph: Graph,
  others: Set<Node>,
  owned: Map<string, string>,
  cores: ReadonlyMap<Node, Core>,
  readers: ReadonlyMap<string, readonly Node[]>,
): void {
  for (const node of graph.nodes.toReversed()) {
    if (!others.has(node) || !movers.has(node.op)) continue;
    const [output = ''] = node.outputs;
    const leads = (readers.get(output) ?? []).some(
      (reader) => cores.has(reader) || others.has(reader),
    );
    if (leads) continue;
    others.delete(node);
    owned.delete(output);
  }
}
