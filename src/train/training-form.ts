/**
 * The forward pass as training needs it: batch normalisation over the batch's own statistics, dropout
 * left out, and the by-products that gradients use (indices of maxima, layer statistics) kept.
 */
import type { GraphBuilder } from '../ir/builder.js';
import type { Graph, Node } from '../ir/graph.js';
import { countAlong, range } from './gradient/rule.js';

/** Share of the batch's statistics in the running ones (PyTorch's `momentum`). */
export const RUNNING_MOMENTUM = 0.1;

/** Statistics that one normalisation found in the batch. */
export interface BatchStatistics {
  /** Initialisers (role `state`) that hold the running ones. */
  readonly running: { readonly mean: string; readonly variance: string };
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
}

/**
 * Appends the nodes of `graph` in training form. A batch normalisation whose running statistics are
 * not of role `state` stays frozen in inference form.
 */
export function appendTrainingForm(builder: GraphBuilder, graph: Graph): TrainingForward {
  const states = new Set(graph.initializers.flatMap((i) => (i.role === 'state' ? [i.name] : [])));
  const nodes: Node[] = [];
  const statistics: BatchStatistics[] = [];
  for (const node of graph.nodes) {
    const trained = trainingNode(builder, node, states);
    builder.append(trained);
    nodes.push(trained);
    if (trained.op === 'BatchNormalization' && trained.outputs.length === 3) {
      statistics.push(statisticsOf(builder, node, trained));
    }
  }
  return { nodes, statistics };
}

function trainingNode(builder: GraphBuilder, node: Node, states: ReadonlySet<string>): Node {
  if (node.domain !== '') return node;
  const [x = '', scale = '', bias = '', mean = '', variance = ''] = node.inputs;
  const [y = ''] = node.outputs;
  switch (node.op) {
    case 'BatchNormalization': {
      if (!states.has(mean) || !states.has(variance)) return node;
      const dims = builder.dimsOf(scale);
      const data = new Float32Array(dims[0] as number);
      const unread = builder.constant({ dtype: 'float32', dims, data });
      // Momentum 0 makes outputs 1 and 2 the batch's statistics; inputs 3 and 4 then do not matter.
      // Caveat: ONNX Runtime may write those outputs over the inputs, so these must be initializers.
      return {
        ...node,
        inputs: [x, scale, bias, unread, unread],
        outputs: [y, unused(builder, `${y}.mean`), unused(builder, `${y}.var`)],
        attributes: {
          ...node.attributes,
          training_mode: { kind: 'int', value: 1 },
          momentum: { kind: 'float', value: 0 },
        },
      };
    }
    case 'Dropout':
      return { ...node, op: 'Identity', inputs: [x], outputs: [y], attributes: {} };
    case 'MaxPool':
      return { ...node, outputs: [y, unused(builder, `${y}.indices`)] };
    case 'LayerNormalization':
      return { ...node, outputs: [y, unused(builder, `${y}.mean`), unused(builder, `${y}.rate`)] };
    default:
      return node;
  }
}

function statisticsOf(builder: GraphBuilder, node: Node, trained: Node): BatchStatistics {
  const dims = builder.dimsOf(node.inputs[0] as string);
  const axes = range(dims.length).filter((axis) => axis !== 1);
  return {
    running: { mean: node.inputs[3] as string, variance: node.inputs[4] as string },
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
 * PyTorch does. `mean` and `variance` are the flat vectors of all normalisations in order.
 */
export function appendRunningUpdate(
  builder: GraphBuilder,
  statistics: readonly BatchStatistics[],
  running: { readonly mean: string; readonly variance: string },
): { readonly mean: string; readonly variance: string } {
  const unbiased = statistics.flatMap(({ channels, count }) =>
    new Array<number>(channels).fill((RUNNING_MOMENTUM * count) / (count - 1)),
  );
  const factor = builder.constant({
    dtype: 'float32',
    dims: [unbiased.length],
    data: Float32Array.from(unbiased),
  });
  const update = (old: string, values: readonly string[], share: string, name: string) => {
    const batch = builder.op('Concat', values, { axis: 0 }, `${name}.batch`);
    const kept = builder.op('Mul', [old, builder.scalar(1 - RUNNING_MOMENTUM)], {}, `${name}.kept`);
    const added = builder.op('Mul', [batch, share], {}, `${name}.added`);
    return builder.op('Add', [kept, added], {}, `${name}.sum`);
  };
  return {
    mean: update(
      running.mean,
      statistics.map((s) => s.mean),
      builder.scalar(RUNNING_MOMENTUM),
      running.mean,
    ),
    variance: update(
      running.variance,
      statistics.map((s) => s.variance),
      factor,
      running.variance,
    ),
  };
}
