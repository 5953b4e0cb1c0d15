/**
 * Features of a graph of our own IR: nodes, multiply–accumulates and bytes by kind of operator, from
 * the static cost of each node. Convolutions are told apart by what their loops look like, and by how
 * well their channels fill the blocks that kernels work on.
 */
import { intOf } from '../../ir/attributes.js';
import { type GraphCost, inferCost } from '../../ir/cost.js';
import type { Graph, Node } from '../../ir/graph.js';
import type { FeatureSchema, Features } from './features.js';

interface Work {
  readonly count: number;
  readonly macs: number;
  readonly bytes: number;
}

/** What is known of a graph by kind of operator, before a vocabulary of kinds is agreed on. */
export interface GraphWork {
  readonly kinds: ReadonlyMap<string, Work>;
  readonly cost: GraphCost;
}

export interface GraphEncoder {
  readonly schema: FeatureSchema;
  encode(work: GraphWork): Features;
}

/** What of a graph is predicted: time, or memory while it runs. */
export type Quantity = 'latency' | 'memory';

/** Work of a graph with its symbolic dimensions set. Throws `UsageError` as `inferCost` does. */
export function featuresOf(graph: Graph, dims: Readonly<Record<string, number>> = {}): GraphWork {
  const cost = inferCost(graph, dims);
  const weights = new Map(graph.initializers.map(({ name, dims: shape }) => [name, shape]));
  const kinds = new Map<string, Work>();
  cost.byNode.forEach(({ op, macs, bytesRead, bytesWritten }, i) => {
    if (op === 'Constant') return;
    const kind = kindOf(graph.nodes[i] as Node, weights);
    const sum = kinds.get(kind) ?? { count: 0, macs: 0, bytes: 0 };
    kinds.set(kind, {
      count: sum.count + 1,
      macs: sum.macs + macs,
      bytes: sum.bytes + bytesRead + bytesWritten,
    });
  });
  return { kinds, cost };
}

/** Floats that a vector register of the widest CPUs holds: kernels work on channels in such blocks. */
const LANES = 16;

function kindOf(node: Node, weights: ReadonlyMap<string, readonly number[]>): string {
  if (node.op !== 'Conv') return node.op;
  const [channels = 0, , ...kernel] = weights.get(node.inputs[1] ?? '') ?? [];
  const filled = channels % LANES === 0 ? '' : channels < LANES ? ' narrow' : ' ragged';
  if (intOf(node, 'group', 1) > 1) return `Conv grouped${filled}`;
  return `Conv${kernel.every((size) => size === 1) ? ' pointwise' : ''}${filled}`;
}

/** The operator of a kind. */
function opOf(kind: string): string {
  return kind.split(' ')[0] as string;
}

/**
 * Agrees on the kinds of operators that the samples have. A graph with a kind that none of them has
 * still counts it in its totals.
 */
export function createGraphEncoder(works: readonly GraphWork[], quantity: Quantity): GraphEncoder {
  const kinds = [...new Set(works.flatMap(({ kinds }) => [...kinds.keys()]))].sort();
  const heavy = kinds.filter((kind) => works.some(({ kinds }) => (kinds.get(kind)?.macs ?? 0) > 0));
  const groups = [
    { name: 'fixed', columns: ['run'], share: quantity === 'latency' ? 0.1 : 0.2 },
    ...(quantity === 'memory'
      ? [
          { name: 'activations', columns: ['activations'], share: 0.4 },
          { name: 'weights', columns: ['weights'], share: 0.3 },
        ]
      : []),
    { name: 'count', columns: ['nodes', ...kinds], share: quantity === 'latency' ? 0.2 : 0 },
    { name: 'macs', columns: ['macs', ...heavy], share: quantity === 'latency' ? 0.4 : 0 },
    { name: 'bytes', columns: ['bytes', ...kinds], share: quantity === 'latency' ? 0.3 : 0.1 },
  ];
  const ops = [...new Set(kinds.map(opOf))];
  const heavyOps = [...new Set(heavy.map(opOf))];
  const sumOf = (work: GraphWork, op: string, pick: (work: Work) => number) =>
    [...work.kinds].reduce((sum, [kind, one]) => sum + (opOf(kind) === op ? pick(one) : 0), 0);
  return {
    schema: {
      counts: [...ops.map((op) => `nodes of ${op}`), ...heavyOps.map((op) => `MACs of ${op}`)],
      accounts: [{ name: 'graph', probability: 1, groups }],
    },
    encode(work) {
      const { kinds: found, cost } = work;
      const sum = (pick: (work: Work) => number) =>
        [...found.values()].reduce((total, one) => total + pick(one), 0);
      const memory = quantity === 'memory' ? [cost.activationPeakBytes, cost.weightsBytes] : [];
      const terms = [
        1,
        ...memory,
        sum(({ count }) => count),
        ...kinds.map((kind) => found.get(kind)?.count ?? 0),
        sum(({ macs }) => macs),
        ...heavy.map((kind) => found.get(kind)?.macs ?? 0),
        sum(({ bytes }) => bytes),
        ...kinds.map((kind) => found.get(kind)?.bytes ?? 0),
      ];
      const counts = [
        ...ops.map((op) => sumOf(work, op, ({ count }) => count)),
        ...heavyOps.map((op) => sumOf(work, op, ({ macs }) => macs)),
      ];
      return { counts, accounts: [terms] };
    },
  };
}
