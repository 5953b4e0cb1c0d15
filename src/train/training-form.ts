/**
 * The forward pass as training needs it: batch normalisation over the batch's own statistics, dropout
 * that drops, draws from seeds of the trainer's, and the by-products that gradients use (indices of
 * maxima, layer statistics) kept.
 */
import type { GraphBuilder } from '../ir/builder.js';
import { type Graph, NATIVE_DOMAIN, type Node } from '../ir/graph.js';
import { isRandom } from '../ir/random.js';
import { countUses } from '../ir/uses.js';
import type { Rng } from '../util/random.js';
import { appendForward } from './autodiff.js';
import { countAlong, range } from './gradient/rule.js';
import { hasNativeForm, nativeBatchNorm, nativeConv, nativeDraws } from './native-form.js';

/** Share of the batch's statistics in the running ones (PyTorch's `momentum`). */
export const RUNNING_MOMENTUM = 0.1;

/** Statistics that one normalisation found in the batch. */
export interface BatchStatistics {
  /** Values [C] of the batch; the variance is divided by the count. */
  readonly mean: string;
  readonly variance: string;
  readonly channels: number;
  /** Elements per channel. */
  readonly count: number;
}

export interface TrainingForward {
  readonly nodes: readonly Node[];
  readonly statistics: readonly BatchStatistics[];
  /** Scalar input for the number of the run, where nodes draw from it. */
  readonly run?: string;
}

const RUN = 'draws.run';

/**
 * The batch normalisations that training updates: those whose running statistics are of role `state`
 * and their own. Others stay frozen in inference form.
 */
export function trainedNorms(graph: Graph): readonly Node[] {
  const states = new Set(graph.initializers.flatMap((i) => (i.role === 'state' ? [i.name] : [])));
  const uses = countUses(graph);
  return graph.nodes.filter(
    ({ op, domain, inputs }) =>
      op === 'BatchNormalization' &&
      domain === '' &&
      inputs.slice(3).every((name) => states.has(name) && uses.get(name) === 1),
  );
}

/**
 * Appends the nodes of `graph` in training form; statistics are in the order of `trainedNorms`.
 * Nodes that draw get their seeds from `rng`, also those with one of their own, so that trainings with
 * different seeds differ.
 *
 * Caveat: ONNX Runtime writes the batch's statistics over the running ones that go in (even over
 * initializers), so these must be values that nothing else reads.
 */
export function appendTrainingForm(builder: GraphBuilder, graph: Graph, rng: Rng): TrainingForward {
  const norms = new Set(trainedNorms(graph));
  const nodes: Node[] = [];
  const statistics: BatchStatistics[] = [];
  for (const node of graph.nodes) {
    const appended = appendForward(builder, node, (source) =>
      trainingNode(builder, source, norms, rng),
    );
    nodes.push(...appended);
    if (norms.has(node)) statistics.push(statisticsOf(builder, node, appended[0] as Node));
  }
  return { nodes, statistics, ...(builder.has(RUN) && { run: RUN }) };
}

function trainingNode(
  builder: GraphBuilder,
  node: Node,
  trained: ReadonlySet<Node>,
  rng: Rng,
): Node {
  if (node.domain !== '') return node;
  const [x = ''] = node.inputs;
  const [y = ''] = node.outputs;
  switch (node.op) {
    case 'BatchNormalization': {
      if (!trained.has(node)) return node;
      if (hasNativeForm(builder, x)) {
        return nativeBatchNorm(node, [
          unused(builder, `${y}.mean`),
          unused(builder, `${y}.var`),
          unused(builder, `${y}.rate`),
        ]);
      }
      // Momentum 0 makes outputs 1 and 2 the batch's statistics, whatever inputs 3 and 4 are.
      return {
        ...node,
        outputs: [y, unused(builder, `${y}.mean`), unused(builder, `${y}.var`)],
        attributes: {
          ...node.attributes,
          training_mode: { kind: 'int', value: 1 },
          momentum: { kind: 'float', value: 0 },
        },
      };
    }
    case 'Conv':
      return (hasNativeForm(builder, x) ? nativeConv(builder, node) : undefined) ?? node;
    case 'Dropout': {
      const [, ratio = '', mode = ''] = node.inputs;
      // Left out, it is "false" in inference alone.
      return { ...node, inputs: [x, ratio, mode === '' ? builder.scalar(1, 'bool') : mode] };
    }
    case 'MaxPool':
      return { ...node, outputs: [y, unused(builder, `${y}.indices`)] };
    case 'LayerNormalization':
      return {
        ...node,
        outputs: [
          y,
          node.outputs[1] || unused(builder, `${y}.mean`),
          node.outputs[2] || unused(builder, `${y}.rate`),
        ],
      };
    default:
      return isRandom(node) ? seeded(builder, node, rng) : node;
  }
}

/**
 * A node that draws, with its seed: by our own kernel from the number of the run, else from a stream
 * that begins with the session (some operators, and graphs of ordinary operators).
 */
function seeded(builder: GraphBuilder, node: Node, rng: Rng): Node {
  // Whole numbers that a float32, the type of the attribute, holds exactly.
  const seed = 1 + rng.integer(2 ** 24 - 1);
  const native = builder.imports(NATIVE_DOMAIN) ? nativeDraws(builder, node, seed, RUN) : undefined;
  if (native !== undefined) {
    if (!builder.has(RUN)) builder.input(RUN, 'float32', []);
    return native;
  }
  return { ...node, attributes: { ...node.attributes, seed: { kind: 'float', value: seed } } };
}

function statisticsOf(builder: GraphBuilder, node: Node, trained: Node): BatchStatistics {
  const dims = builder.dimsOf(node.inputs[0] as string);
  const axes = range(dims.length).filter((axis) => axis !== 1);
  return {
    mean: trained.outputs[1] as string,
    variance: trained.outputs[2] as string,
    channels: dims[1] as number,
    count: countAlong(dims, axes),
  };
}

/** The name itself, or with a number behind it. */
export function unused(builder: GraphBuilder, name: string): string {
  let candidate = name;
  for (let i = 2; builder.has(candidate); i++) candidate = `${name}_${i}`;
  return candidate;
}

/**
 * Running statistics after the step: (1−m)·old + m·batch, the variance divided by count − 1 as
 * PyTorch does. `running` are the flat vectors of all means and of all variances.
 */
export function appendRunningUpdate(
  builder: GraphBuilder,
  statistics: readonly BatchStatistics[],
  running: readonly string[],
): readonly string[] {
  const unbiased = statistics.flatMap(({ channels, count }) =>
    new Array<number>(channels).fill((RUNNING_MOMENTUM * count) / (count - 1)),
  );
  const factor = builder.constant({
    dtype: 'float32',
    dims: [unbiased.length],
    data: Float32Array.from(unbiased),
  });
  const update = (old: string, values: readonly string[], share: string) => {
    const batch = builder.op('Concat', values, { axis: 0 }, `${old}.batch`);
    const kept = builder.op('Mul', [old, builder.scalar(1 - RUNNING_MOMENTUM)], {}, `${old}.kept`);
    const added = builder.op('Mul', [batch, share], {}, `${old}.added`);
    return builder.op('Add', [kept, added], {}, `${old}.sum`);
  };
  const [mean = '', variance = ''] = running;
  return [
    update(
      mean,
      statistics.map((s) => s.mean),
      builder.scalar(RUNNING_MOMENTUM),
    ),
    update(
      variance,
      statistics.map((s) => s.variance),
      factor,
    ),
  ];
}
