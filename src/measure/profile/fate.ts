/**
 * Which kernel each node of the user's graph became. A kernel of the graph as ONNX Runtime runs it
 * makes values of the user's graph (marked names, `mark.ts`, tell which), and so covers the nodes
 * between those values and the nearest values that other kernels make. A kernel that makes none, or
 * under a name of the runtime's own one that a named kernel makes already, was added by the runtime.
 */
import type { Graph, Node } from '../../ir/graph.js';
import { shareCommonSubexpressions } from '../../ir/pass/common-subexpressions.js';
import { producersOf, readsOf } from '../../ir/uses.js';
import { parseMark } from './mark.js';

/** A node of the graph as ONNX Runtime runs it; inputs and outputs are empty where it does not tell. */
export interface RuntimeNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

export interface RuntimeGraph {
  readonly nodes: readonly RuntimeNode[];
  /** Values that it stores: the user's initializers, and what was computed when it was loaded. */
  readonly stored: readonly string[];
}

/**
 * - `kernel`: the main part of one or several kernels, whose time it has.
 * - `fused`: computed inside kernels that are named after other nodes.
 * - `folded`: computed once, when the model was loaded.
 * - `removed`: equal to another node, without effect, or leading to no output.
 */
export type Fate = 'kernel' | 'fused' | 'folded' | 'removed';

export interface KernelMap {
  /** By the kernel's name: numbers of the user's nodes that it covers, the main one first. */
  readonly covered: ReadonlyMap<string, readonly number[]>;
  /** Of each of the user's nodes. */
  readonly fates: readonly Fate[];
}

/** Operators that only pass a value on. */
const passing: ReadonlySet<string> = new Set(['Identity', 'Dropout']);

/**
 * @param marked The user's graph under marked names.
 * @param weigh How much a node does: the main node of a kernel is the one that does most.
 */
export function mapKernels(
  marked: Graph,
  runtime: RuntimeGraph,
  weigh: (node: number) => number,
): KernelMap {
  const anchors = anchorKernels(marked, runtime.nodes);
  const made = new Set([...anchors.values()].flat());
  const walk = new Walk(marked, made, runtime.stored);
  const covered = new Map<string, readonly number[]>();
  const isPassing = (i: number) => Number(passing.has(marked.nodes[i]?.op ?? ''));
  for (const { name, op } of runtime.nodes) {
    const nodes = walk.behind(anchors.get(name) ?? []);
    if (parseMark(name) === undefined && !passing.has(op) && nodes.every(isPassing)) {
      // Put in where a value is passed on: it computes nothing of the user's.
      covered.set(name, []);
      continue;
    }
    // The last of equals: the value that the kernel makes is the last node's.
    covered.set(
      name,
      nodes.toSorted((a, b) => isPassing(a) - isPassing(b) || weigh(b) - weigh(a) || b - a),
    );
  }
  const mains = new Set([...covered.values()].map(([main]) => main));
  const claimed = new Set([...covered.values()].flat());
  const fates = marked.nodes.map((node, i): Fate => {
    if (mains.has(i)) return 'kernel';
    if (claimed.has(i)) return passing.has(node.op) ? 'removed' : 'fused';
    return walk.folded.has(i) || walk.isConstant(node) ? 'folded' : 'removed';
  });
  return { covered, fates };
}

/** By kernel, the user's values (marked names) that it makes. Kernels that were added have none. */
function anchorKernels(
  marked: Graph,
  kernels: readonly RuntimeNode[],
): ReadonlyMap<string, readonly string[]> {
  const outputsOf = (mark: ReturnType<typeof parseMark>): readonly string[] => {
    if (mark === undefined || mark.inner !== undefined) return [];
    const outputs = marked.nodes[mark.node]?.outputs ?? [];
    return mark.output === undefined ? outputs : outputs.slice(mark.output, mark.output + 1);
  };
  const stated = new Map(
    kernels.map(({ name, outputs }) => [
      name,
      parseMark(name) === undefined
        ? []
        : outputs.flatMap((output) => outputsOf(parseMark(output)).slice(0, 1)),
    ]),
  );
  const known = new Set([...stated.values()].flat());
  const anchors = new Map<string, readonly string[]>();
  /** The user's values behind values of the runtime. */
  const standsFor = new Map<string, readonly string[]>();
  for (const { name, inputs, outputs } of kernels) {
    let made = stated.get(name) ?? [];
    const mark = parseMark(name);
    if (mark !== undefined && made.length === 0) {
      const read = new Set(inputs.flatMap((input) => standsFor.get(input) ?? [input]));
      made = outputsOf(mark).map((value) => followFused(marked, value, read, known));
    }
    if (made.length > 0) anchors.set(name, made);
    for (const output of outputs) standsFor.set(output, made.length > 0 ? made : [output]);
  }
  const taken = new Set([...anchors.values()].flat());
  for (const { name, outputs } of kernels) {
    if (parseMark(name) !== undefined) continue;
    const own = outputs.filter(
      (output) => outputsOf(parseMark(output)).includes(output) && !taken.has(output),
    );
    if (own.length > 0) anchors.set(name, own);
  }
  return anchors;
}

/** What kernels apply to their result before they store it. */
const epilogue: ReadonlySet<string> = new Set(
  'Add Sum Relu LeakyRelu Sigmoid Tanh Clip HardSigmoid HardSwish Elu Softplus'.split(' '),
);

/**
 * The value that a kernel makes which is named after `value` but states no value that it makes:
 * NCHWc convolutions keep their name when the addition and activation behind them are fused in. Those
 * are followed whose other operand the kernel reads, up to a value that another kernel makes.
 */
function followFused(
  graph: Graph,
  value: string,
  read: ReadonlySet<string>,
  known: ReadonlySet<string>,
): string {
  const users = graph.nodes.filter((node) => readsOf(node).includes(value));
  const [user] = users;
  const result = user?.outputs[0];
  if (user === undefined || result === undefined || users.length > 1) return value;
  if (!epilogue.has(user.op) || known.has(result)) return value;
  if (graph.outputs.some(({ name }) => name === value)) return value;
  if (!user.inputs.every((name) => name === value || name === '' || read.has(name))) return value;
  return followFused(graph, result, read, known);
}

/** Walks the user's graph from values back to what kernels or the loading of the model made. */
class Walk {
  readonly folded = new Set<number>();
  readonly #producers: ReadonlyMap<string, Node>;
  /** Nodes with reads of equal nodes' values replaced by those of the first of them. */
  readonly #shared: ReadonlyMap<string, Node>;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #stored: ReadonlySet<string>;
  readonly #constant = new Map<string, boolean>();

  constructor(
    readonly graph: Graph,
    readonly made: ReadonlySet<string>,
    stored: readonly string[],
  ) {
    this.#stored = new Set([...stored, ...graph.initializers.map(({ name }) => name)]);
    this.#producers = producersOf(graph);
    const { nodes } = shareCommonSubexpressions(graph).graph;
    this.#shared = new Map(nodes.map((node) => [node.name, node]));
    this.#numbers = new Map(graph.nodes.map(({ name }, i) => [name, i]));
  }

  /** Numbers of the nodes behind `values`, in the order of the graph. */
  behind(values: readonly string[]): number[] {
    const found = new Set<number>();
    const visit = (value: string): void => {
      const node = this.#producers.get(value);
      if (node === undefined) return;
      const i = this.#numbers.get(node.name) as number;
      if (found.has(i)) return;
      found.add(i);
      const reads = readsOf(node);
      const shared = readsOf(this.#shared.get(node.name) ?? node);
      reads.forEach((read, r) => {
        if (this.made.has(read)) return;
        const canonical = shared[r] ?? read;
        if (this.made.has(canonical)) return;
        if (this.#isStored(canonical)) this.#fold(canonical);
        else visit(canonical);
      });
    };
    values.forEach(visit);
    return [...found].sort((a, b) => a - b);
  }

  /** Whether all outputs are the same in every run, as far as the graph's structure tells. */
  isConstant(node: Node): boolean {
    return node.outputs.some((name) => name !== '' && this.#isStored(name));
  }

  /** Stored in the file, or computed from such values alone, or from shapes that are fixed. */
  #isStored(value: string): boolean {
    if (this.#stored.has(value)) return true;
    const known = this.#constant.get(value);
    if (known !== undefined) return known;
    const node = this.#producers.get(value);
    // A Shape or Size that no kernel computes was known when the model was loaded.
    const constant =
      node !== undefined &&
      !this.made.has(value) &&
      (node.op === 'Shape' ||
        node.op === 'Size' ||
        readsOf(node).every((read) => this.#isStored(read)));
    this.#constant.set(value, constant);
    return constant;
  }

  /** Records the nodes that a value was computed by when the model was loaded. */
  #fold(value: string): void {
    const node = this.#producers.get(value);
    if (node === undefined || this.made.has(value)) return;
    const i = this.#numbers.get(node.name) as number;
    if (this.folded.has(i)) return;
    this.folded.add(i);
    for (const read of readsOf(node)) this.#fold(read);
  }
}
