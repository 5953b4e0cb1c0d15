/**
 * A foreign model made ready to be trained: in two forms, one that the step graph is made of and one
 * that stays as its owner wrote it and gets the new weights in the end.
 */
import { UsageError } from '../errors.js';
import { type Graph, type Node, withGraph } from '../ir/graph.js';
import { removeDeadNodes } from '../ir/pass/dead-nodes.js';
import { freeBatch } from '../ir/pass/free-batch.js';
import { storeConstants, storeWeights } from '../ir/pass/store-constants.js';
import { upgradeOpset } from '../ir/pass/upgrade-opset.js';
import { producersOf, readsOf } from '../ir/uses.js';
import { freezeMatching } from './freeze.js';
import type { LossName } from './loss/loss.js';
import { replaceHead } from './replace-head.js';
import { isLayout, withTrainableRoles } from './trainable.js';

export interface AdoptOptions {
  readonly loss: LossName;
  /** The output to train; needed where there are several. */
  readonly output?: string;
  /** Another number of classes: the last layer is replaced. */
  readonly classes?: number;
  /** Patterns of what stays as it is. */
  readonly freeze: readonly string[];
  /** Draw new weights instead of going on from the file's. */
  readonly scratch: boolean;
}

export interface AdoptedModel {
  /** Opset 13 or newer, free batch, one output: the prediction (before a last softmax), or the loss. */
  readonly graph: Graph;
  /** The owner's form: same names, operator set and outputs. */
  readonly own: Graph;
  /** Operator at the end of the owner's form that the loss has itself: Softmax, Sigmoid. */
  readonly activation?: string;
  /** What was done to it, a line each. */
  readonly notes: readonly string[];
}

/** Activations that are part of a loss of logits. */
const insideLoss: Readonly<Partial<Record<LossName, readonly string[]>>> = {
  'cross-entropy': ['Softmax'],
  bce: ['Sigmoid'],
};

/** Throws `UsageError` for a model that cannot be trained so. */
export function adoptModel(decoded: Graph, options: AdoptOptions): AdoptedModel {
  const notes: string[] = [];
  const output = outputOf(decoded, options.output);
  let own = withStoredWeights(decoded);
  if (own !== decoded) notes.push('weights in constant nodes are initializers now');
  const drawn = new Set<string>();
  if (options.classes !== undefined) {
    const { graph, layer, before, weights } = replaceHead(own, output, options.classes);
    own = graph;
    for (const name of weights) drawn.add(name);
    notes.push(`${layer}: ${options.classes} classes in place of ${before}, drawn anew`);
  }
  own = withTrainableRoles(own);
  const frozen = freezeMatching(own, options.freeze);
  for (const name of drawn) {
    if (!frozen.names.has(name)) continue;
    throw new UsageError(
      `--freeze: expected patterns without the new last layer, received ${name}`,
    );
  }
  const redrawn = (graph: Graph) => (options.scratch ? withoutWeights(graph, frozen.names) : graph);
  const single = withOneOutput(redrawn(frozen.graph), output);
  const last = activationOf(single, output, options.loss);
  const bare = last === undefined ? single : withoutNode(single, last);
  if (last !== undefined) {
    notes.push(`trained on what goes into the last ${last.op}, which ${options.loss} has itself`);
  }
  const { graph: upgraded, changed } = upgradeOpset(bare);
  if (changed) {
    notes.push(
      `trained in opset ${upgraded.opsets['']}; the file keeps opset ${decoded.opsets['']}`,
    );
  }
  return {
    graph: freeBatch(upgraded).graph,
    own,
    notes,
    ...(last && { activation: last.op }),
  };
}

function outputOf({ name, outputs }: Graph, wanted: string | undefined): string {
  const [first, ...others] = outputs;
  const names = outputs.map((one) => one.name).join(', ');
  if (wanted !== undefined) {
    if (outputs.some((one) => one.name === wanted)) return wanted;
    throw new UsageError(
      `--output: expected an output of the model (${names}), received ${wanted}`,
    );
  }
  if (first !== undefined && others.length === 0) return first.name;
  throw new UsageError(
    `graph ${name}: expected --output for a model of ${outputs.length} outputs (${names})`,
  );
}

/** Weights that exporters write as Constant or ConstantOfShape nodes, as initializers. */
function withStoredWeights(graph: Graph): Graph {
  const makers = producersOf(graph);
  const layers = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'BatchNormalization']);
  const made = new Set(
    graph.nodes
      .filter(({ op, domain }) => domain === '' && layers.has(op))
      .flatMap(({ inputs }) => inputs.map((name) => makers.get(name)?.op)),
  );
  const stored = made.has('Constant') ? storeConstants(graph).graph : graph;
  return made.has('ConstantOfShape') ? storeWeights(stored).graph : stored;
}

/** Inputs stay as long as something reads them. */
function withOneOutput(graph: Graph, output: string): Graph {
  const outputs = graph.outputs.filter(({ name }) => name === output);
  const { graph: live } = removeDeadNodes(withGraph(graph, { outputs }));
  const read = new Set(live.nodes.flatMap(readsOf));
  return withGraph(live, { inputs: live.inputs.filter(({ name }) => read.has(name)) });
}

function withoutWeights(graph: Graph, kept: ReadonlySet<string>): Graph {
  return withGraph(graph, {
    initializers: graph.initializers.map(({ data, ...rest }) =>
      data !== undefined && (rest.role === 'constant' || kept.has(rest.name))
        ? { ...rest, data }
        : rest,
    ),
  });
}

/** The activation before the output that the loss has itself; layout does not count. */
function activationOf(graph: Graph, output: string, loss: LossName): Node | undefined {
  const makers = producersOf(graph);
  let last = makers.get(output);
  while (last !== undefined && isLayout(last)) last = makers.get(last.inputs[0] as string);
  return last?.domain === '' && insideLoss[loss]?.includes(last.op) ? last : undefined;
}

function withoutNode(graph: Graph, left: Node): Graph {
  const plain: Node = { ...left, op: 'Identity', attributes: {} };
  return withGraph(graph, { nodes: graph.nodes.map((node) => (node === left ? plain : node)) });
}
