/**
 * Which tensors of a foreign file are trained. Files by other tools do not say; a float32 initializer
 * is taken for a weight where an operator reads it as a parameter, straight or through nodes that only
 * change its layout. What looks like a constant stays one: single numbers in arithmetic, masks, and
 * what is added to or multiplied with an input of the model (preprocessing).
 */
import { type Graph, type Initializer, type Node, withGraph } from '../ir/graph.js';
import { producersOf } from '../ir/uses.js';
import { elementCount } from '../util/tensor.js';

/** Inputs that are parameters of the operator. */
const parameters: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [1, 2],
  MatMul: [0, 1],
  LayerNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  RMSNormalization: [1],
  PRelu: [1],
  Gather: [0],
  LSTM: [1, 2, 3],
  GRU: [1, 2, 3],
  RNN: [1, 2, 3],
};
/** Operators whose inputs may be parameters or constants. */
const arithmetic: ReadonlySet<string> = new Set(['Add', 'Mul', 'Concat']);
/** Operators that change layout alone, by input 0. */
const layout: ReadonlySet<string> = new Set([
  'Expand',
  'Flatten',
  'Identity',
  'Reshape',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);
/** Masks are added with values like −10,000 or the lowest float; weights are never near that. */
const MASK_VALUE = 1e3;

/** The graph with the role `weight` for all initializers that are trained. */
export function withTrainableRoles(graph: Graph): Graph {
  const constants = new Map(
    graph.initializers.filter((i) => i.role === 'constant').map((i) => [i.name, i]),
  );
  const makers = producersOf(graph);
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const weights = new Set<string>();
  const take = (node: Node, place: number, accept: (one: Initializer) => boolean): void => {
    const root = rootOf(node.inputs[place] ?? '', makers, constants);
    if (root?.dtype === 'float32' && accept(root)) weights.add(root.name);
  };
  for (const node of graph.nodes) {
    if (node.domain !== '') continue;
    for (const place of parameters[node.op] ?? []) take(node, place, () => true);
    if (!arithmetic.has(node.op) || node.inputs.some((name) => inputs.has(name))) continue;
    node.inputs.forEach((_, place) => {
      take(node, place, (one) => elementCount(one.dims) > 1 && !isMask(one));
    });
  }
  if (weights.size === 0) return graph;
  return withGraph(graph, {
    initializers: graph.initializers.map((one) =>
      weights.has(one.name) ? { ...one, role: 'weight' } : one,
    ),
  });
}

/** Whether a node changes nothing but the layout of its first input. */
export function isLayout({ op, domain }: Node): boolean {
  return domain === '' && layout.has(op);
}

/** The stored tensor that a value is, its layout aside; undefined where it is none. */
export function rootOf(
  name: string,
  makers: ReadonlyMap<string, Node>,
  stored: ReadonlyMap<string, Initializer>,
): Initializer | undefined {
  const maker = makers.get(name);
  if (maker === undefined) return stored.get(name);
  return isLayout(maker) ? rootOf(maker.inputs[0] as string, makers, stored) : undefined;
}

/** Whether the values are those of a mask: very low ones, or nothing but zeros and ones, of both. */
function isMask({ data }: Initializer): boolean {
  const values = (data ?? []) as Float32Array;
  let [zeros, ones] = [0, 0];
  for (const value of values) {
    if (!(Math.abs(value) < MASK_VALUE)) return true;
    if (value === 0) zeros++;
    else if (value === 1) ones++;
  }
  return zeros > 0 && ones > 0 && zeros + ones === values.length;
}
