/**
 * Groups of nodes that our kernels train as one: GELU and SiLU, which exporters write as several
 * element-by-element nodes that each keep a tensor for the backward pass, and attention, whose matrix
 * of scores then never is in memory.
 */
import { createAttributes, intOf, intsOf, stringOf } from '../ir/attributes.js';
import { type Graph, NATIVE_DOMAIN, type Node, type TensorType, withGraph } from '../ir/graph.js';
import { inferTypes } from '../ir/infer.js';
import type { OpName } from '../ir/op-schema.js';
import { removeDeadNodes } from '../ir/pass/dead-nodes.js';
import { countUses, producersOf } from '../ir/uses.js';

const HEADS_INSIDE = [0, 2, 1, 3];

/** The graph with native nodes where it has such groups, in float32; all dimensions are fixed. */
export function fuseForTraining(graph: Graph): Graph {
  const scope = new Scope(graph);
  const nodes = graph.nodes.flatMap(
    (node) =>
      fuseGelu(scope, node) ?? fuseSilu(scope, node) ?? fuseAttention(scope, node) ?? [node],
  );
  const opsets = { ...graph.opsets, [NATIVE_DOMAIN]: 1 };
  return removeDeadNodes(withGraph(graph, { nodes, opsets })).graph;
}

/** Questions about a graph. */
class Scope {
  readonly #producers: ReadonlyMap<string, Node>;
  readonly #uses: ReadonlyMap<string, number>;
  readonly #types: ReadonlyMap<string, TensorType>;
  readonly #constants: ReadonlyMap<string, number>;
  /** Attention by its output with heads before rows: the output with rows before heads. */
  readonly joined = new Map<string, string>();

  constructor(graph: Graph) {
    this.#producers = producersOf(graph);
    this.#uses = countUses(graph);
    this.#types = inferTypes(graph);
    this.#constants = new Map(
      graph.initializers.flatMap(({ name, role, data }) =>
        role === 'constant' && data?.length === 1 ? [[name, Number(data[0])] as const] : [],
      ),
    );
  }

  /** The node of that operator that makes the value. */
  maker(name: string | undefined, op: OpName): Node | undefined {
    const node = this.#producers.get(name ?? '');
    return node?.op === op && node.domain === '' ? node : undefined;
  }

  /** The same, where nothing but the group reads the value. */
  part(name: string | undefined, op: OpName, uses = 1): Node | undefined {
    return this.#uses.get(name ?? '') === uses ? this.maker(name, op) : undefined;
  }

  /** Whether the node multiplies, divides or adds that number; on the right. */
  isBy({ op, inputs }: Node, expected: OpName, value: number): boolean {
    const number = this.#constants.get(inputs[1] ?? '');
    return op === expected && number !== undefined && Math.abs(number - value) < 1e-6;
  }

  constant(name: string | undefined): number | undefined {
    return this.#constants.get(name ?? '');
  }

  isFloat(name: string): boolean {
    return this.#types.get(name)?.dtype === 'float32';
  }

  dims(name: string | undefined): readonly (number | string)[] {
    return this.#types.get(name ?? '')?.shape ?? [];
  }
}

function native(
  node: Node,
  op: OpName,
  inputs: readonly string[],
  outputs: readonly string[],
  scale?: number,
): Node {
  const attributes = createAttributes(op, scale === undefined ? {} : { scale });
  return { name: node.name, op, domain: NATIVE_DOMAIN, inputs, outputs, attributes };
}

/** x · (1 + erf(x/√2)) · ½, or the operator that says so. */
function fuseGelu(scope: Scope, node: Node): Node[] | undefined {
  const [input = ''] = node.inputs;
  if (node.op === 'Gelu' && node.domain === '' && scope.isFloat(input)) {
    const exact = stringOf(node, 'approximate', 'none') === 'none';
    return exact ? [native(node, 'TrainingGelu', [input], node.outputs)] : undefined;
  }
  if (!scope.isBy(node, 'Mul', 0.5)) return undefined;
  const product = scope.part(node.inputs[0], 'Mul');
  const shifted = scope.part(product?.inputs[1], 'Add');
  const erf = shifted && scope.isBy(shifted, 'Add', 1) && scope.part(shifted.inputs[0], 'Erf');
  const scaled = erf && scope.part(erf.inputs[0], 'Div');
  if (!product || !scaled || !scope.isBy(scaled, 'Div', Math.SQRT2)) return undefined;
  const x = product.inputs[0] as string;
  if (scaled.inputs[0] !== x || !scope.isFloat(x)) return undefined;
  return [native(node, 'TrainingGelu', [x], node.outputs)];
}

/** x · σ(x) */
function fuseSilu(scope: Scope, node: Node): Node[] | undefined {
  if (node.op !== 'Mul' || node.domain !== '') return undefined;
  const [x = ''] = node.inputs;
  const gate = scope.part(node.inputs[1], 'Sigmoid');
  if (gate?.inputs[0] !== x || !scope.isFloat(x)) return undefined;
  return [native(node, 'TrainingSilu', [x], node.outputs)];
}

/** softmax(scale · Q·Kᵀ)·V over [N, H, …]; and the transposition that usually follows. */
function fuseAttention(scope: Scope, node: Node): Node[] | undefined {
  const joined = scope.joined.get(node.inputs[0] ?? '');
  if (joined !== undefined && isPermutation(node, HEADS_INSIDE)) {
    return [{ ...node, op: 'Identity', inputs: [joined], attributes: {} }];
  }
  if (node.op !== 'MatMul' || node.domain !== '') return undefined;
  const [, v = ''] = node.inputs;
  const shares = scope.part(node.inputs[0], 'Softmax');
  if (shares === undefined || ![-1, 3].includes(intOf(shares, 'axis', -1))) return undefined;
  const factor = scaleBefore(scope, shares);
  const scores = scope.part(factor.of, 'MatMul');
  if (scores === undefined) return undefined;
  const [q = '', k = ''] = scores.inputs;
  const heads = [q, k, v].map((name) => scope.dims(name));
  const alike = heads.every(
    (dims) => dims.length === 4 && `${dims.slice(0, 2)}` === `${heads[0]?.slice(0, 2)}`,
  );
  if (!alike || ![q, k, v].every((name) => scope.isFloat(name))) return undefined;

  const extra: Node[] = [];
  const rowsFirst = (name: string, found: readonly number[], perm: readonly number[]): string => {
    const before = scope.maker(name, 'Transpose');
    if (before !== undefined && isPermutation(before, found)) return before.inputs[0] as string;
    const output = `${node.name}/${name}`;
    extra.push(transpose(output, name, perm));
    return output;
  };
  const inputs = [
    rowsFirst(q, HEADS_INSIDE, HEADS_INSIDE),
    rowsFirst(k, [0, 2, 3, 1], [0, 3, 1, 2]),
    rowsFirst(v, HEADS_INSIDE, HEADS_INSIDE),
  ];
  const [y = ''] = node.outputs;
  const rows = `${y}/rows`;
  scope.joined.set(y, rows);
  const outputs = [rows, `${y}/normaliser`];
  return [
    ...extra,
    native(node, 'TrainingAttention', inputs, outputs, factor.scale),
    transpose(y, rows, HEADS_INSIDE),
  ];
}

/** The number that the input of a softmax was multiplied with, and what it was multiplied to. */
function scaleBefore(scope: Scope, softmax: Node): { scale: number; of: string | undefined } {
  const [of] = softmax.inputs;
  const product = scope.part(of, 'Mul') ?? scope.part(of, 'Div');
  const number = scope.constant(product?.inputs[1]);
  if (product === undefined || number === undefined) return { scale: 1, of };
  return { scale: product.op === 'Mul' ? number : 1 / number, of: product.inputs[0] };
}

function isPermutation(node: Node, perm: readonly number[]): boolean {
  return node.op === 'Transpose' && node.domain === '' && `${intsOf(node, 'perm')}` === `${perm}`;
}

function transpose(output: string, input: string, perm: readonly number[]): Node {
  const attributes = createAttributes('Transpose', { perm: [...perm] });
  return {
    name: `${output}/transpose`,
    op: 'Transpose',
    domain: '',
    inputs: [input],
    outputs: [output],
    attributes,
  };
}
