/**
 * Another number of classes: the last layer, the one that yields the logits, is replaced by one of the
 * same kind whose weights have no data and are drawn by the evaluator.
 */
import { UsageError } from '../errors.js';
import { intOf } from '../ir/attributes.js';
import { type Graph, type Initializer, type Node, withGraph } from '../ir/graph.js';
import { inferTypes } from '../ir/infer.js';
import { removeDeadNodes } from '../ir/pass/dead-nodes.js';
import { freshNamer } from '../ir/pass/fresh-names.js';
import { countUses, producersOf } from '../ir/uses.js';
import { rootOf } from './trainable.js';

export interface ReplacedHead {
  readonly graph: Graph;
  /** Name of the layer, and its classes before. */
  readonly layer: string;
  readonly before: number;
  /** Names of the tensors that are new. */
  readonly weights: readonly string[];
}

/** Operators that may stand between the last layer and the output, by input 0. */
const transparent: ReadonlySet<string> = new Set(
  (
    'AveragePool Clip Dropout Flatten GlobalAveragePool GlobalMaxPool Identity LogSoftmax ReduceMean ' +
    'Relu Reshape Sigmoid Softmax Squeeze Unsqueeze'
  ).split(' '),
);

/**
 * The graph with `classes` classes at `output`. Throws `UsageError` where there is no Gemm, MatMul or
 * 1×1 Conv behind the output.
 */
export function replaceHead(graph: Graph, output: string, classes: number): ReplacedHead {
  const makers = producersOf(graph);
  const types = inferTypes(graph);
  const stored = new Map(graph.initializers.map((one) => [one.name, one]));
  const path: Node[] = [];
  let biasNode: Node | undefined;
  let node = makers.get(output);
  const isHead = (one: Node) =>
    isLayer(one, types) && rootOf(one.inputs[1] as string, makers, stored) !== undefined;
  while (node !== undefined && !isHead(node)) {
    if (node.op === 'Add' && biasNode === undefined) {
      const addend = node.inputs.find((name) => !stored.has(name));
      biasNode = node.inputs.some((name) => stored.has(name)) ? node : undefined;
      node = biasNode && makers.get(addend ?? '');
    } else if (node.domain === '' && transparent.has(node.op)) {
      path.push(node);
      node = makers.get(node.inputs[0] as string);
    } else {
      node = undefined;
    }
  }
  if (node === undefined) {
    throw new UsageError(
      `--classes: expected a Gemm, a MatMul or a 1×1 Conv behind output ${output}, received none`,
    );
  }
  const head = node;
  const weight = head.inputs[1] as string;
  const dims = types.get(weight)?.shape?.map(Number) ?? [];
  const axis = classAxis(head, dims);
  const before = dims[axis] as number;

  const fresh = freshNamer(graph);
  const uses = countUses(graph);
  const made = new Map<string, Initializer>();
  const renamed = new Map<Node, Map<number, string>>();
  const replace = (reader: Node, place: number, shape: readonly number[]): void => {
    const old = reader.inputs[place] as string;
    // A tensor that others read too stays theirs.
    const name = stored.has(old) && uses.get(old) === 1 ? old : fresh(`${old}.head`);
    made.set(name, { name, role: 'weight', dtype: 'float32', dims: shape });
    renamed.set(reader, (renamed.get(reader) ?? new Map()).set(place, name));
  };
  replace(head, 1, dims.with(axis, classes));
  const biases = [
    ...(head.inputs[2] ? [{ reader: head, place: 2 }] : []),
    ...(biasNode === undefined
      ? []
      : [{ reader: biasNode, place: biasNode.inputs.findIndex((name) => stored.has(name)) }]),
  ];
  for (const { reader, place } of biases) {
    const shape = types.get(reader.inputs[place] as string)?.shape?.map(Number) ?? [];
    const at = shape.lastIndexOf(before);
    if (at >= 0) replace(reader, place, shape.with(at, classes));
  }
  const constants = reshapeTargets(path, stored, before, classes, fresh);
  const swapped = withGraph(graph, {
    nodes: graph.nodes.map((one) => {
      const places = renamed.get(one);
      const target = constants.get(one);
      if (target !== undefined) return { ...one, inputs: [one.inputs[0] as string, target.name] };
      if (places === undefined) return one;
      return { ...one, inputs: one.inputs.map((name, i) => places.get(i) ?? name) };
    }),
    initializers: [
      ...graph.initializers.filter(({ name }) => !made.has(name)),
      ...made.values(),
      ...constants.values(),
    ],
  });
  const live = removeDeadNodes(swapped).graph;
  const inferred = inferTypes(live);
  const outputs = live.outputs.map((one) => ({ ...one, ...inferred.get(one.name) }));
  return {
    graph: withGraph(live, { outputs }),
    layer: head.name,
    before,
    weights: [...made.keys()],
  };
}

function isLayer(node: Node, types: ReturnType<typeof inferTypes>): boolean {
  if (node.domain !== '') return false;
  const dims = types.get(node.inputs[1] ?? '')?.shape ?? [];
  if (dims.some((dim) => typeof dim === 'string')) return false;
  if (node.op === 'Conv') return dims.length > 2 && dims.slice(2).every((dim) => dim === 1);
  return (node.op === 'Gemm' || node.op === 'MatMul') && dims.length === 2;
}

/** The axis of the weight that counts classes. */
function classAxis(head: Node, dims: readonly number[]): number {
  if (head.op === 'Conv') return 0;
  if (head.op === 'Gemm') return intOf(head, 'transB', 0) === 1 ? 0 : 1;
  return dims.length - 1;
}

/** Constant Reshape targets behind the layer that spell the number of classes out. */
function reshapeTargets(
  path: readonly Node[],
  stored: ReadonlyMap<string, Initializer>,
  before: number,
  classes: number,
  fresh: (hint: string) => string,
): ReadonlyMap<Node, Initializer> {
  const targets = new Map<Node, Initializer>();
  for (const node of path) {
    const old = node.op === 'Reshape' ? stored.get(node.inputs[1] ?? '') : undefined;
    const at = Array.from(old?.data ?? [], Number).lastIndexOf(before);
    if (old?.data === undefined || at < 0) continue;
    const data = BigInt64Array.from(Array.from(old.data, BigInt).with(at, BigInt(classes)));
    targets.set(node, { ...old, name: fresh(`${old.name}.head`), data });
  }
  return targets;
}
