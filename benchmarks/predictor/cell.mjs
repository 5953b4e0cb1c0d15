// Cells of NAS-Bench-201 (Dong and Yang, 2020): four nodes, six edges, one of five operators on each.
import { Mersenne } from './mersenne.mjs';

const OPS = ['none', 'skip_connect', 'nor_conv_1x1', 'nor_conv_3x3', 'avg_pool_3x3'];
const [NONE, SKIP, CONV1, CONV3, POOL] = OPS.keys();
/** From node, to node; the order of the architecture strings. */
const EDGES = [
  [0, 1],
  [0, 2],
  [1, 2],
  [0, 3],
  [1, 3],
  [2, 3],
];
export const CELLS = OPS.length ** EDGES.length;
/** The benchmark's authors shuffled the enumerated cells with this seed of Python's generator. */
const CANONICAL_SEED = 88;

/** Operator numbers of the six edges for all cells, in the benchmark's own order. */
export function canonicalCells() {
  const numbers = Array.from({ length: CELLS }, (_, i) => i);
  return new Mersenne(CANONICAL_SEED).shuffle(numbers).map(cellOf);
}

function cellOf(number) {
  return EDGES.map((_, edge) => Math.floor(number / OPS.length ** (5 - edge)) % OPS.length);
}

/** Operator numbers of an architecture string, or undefined for another text. */
export function parseCell(text) {
  const parts = typeof text === 'string' ? (text.match(/[a-z][a-z0-9_]*~\d/g) ?? []) : [];
  const ops = parts.map((part) => OPS.indexOf(part.split('~')[0]));
  const edges = parts.map((part) => Number(part.split('~')[1]));
  const fits = ops.length === 6 && EDGES.every(([from], i) => edges[i] === from && ops[i] >= 0);
  return fits ? ops : undefined;
}

// M FLOPs of one operator on an edge, in all cells of the network (CIFAR-10).
const FLOPS = { [CONV3]: 35.81952, [CONV1]: 4.36224, [POOL]: 1.29024 };
/** Kernels of a convolution's edge: activation, convolution and normalisation; others have one. */
const CONV_KERNELS = 3;

/**
 * Terms of an executed cell. The fixed part is the network around the cells; the other shares say
 * that launching and traffic, and arithmetic, each explain about a third of the rest and more.
 */
const groups = [
  { name: 'fixed', columns: ['network'], share: 0.4 },
  { name: 'count', columns: ['launches', 'convs', ...OPS], share: 0.25 },
  { name: 'macs', columns: ['macs'], share: 0.25 },
];

export const cellSchema = {
  counts: OPS,
  accounts: [
    // Most runtimes execute every edge, whether its result is used or not; a converter (TensorFlow
    // Lite's) folds constants and drops what does not reach the output.
    { name: 'eager', probability: 0.97, groups },
    { name: 'folded', probability: 0.03, groups },
  ],
};

/** Features of a cell and its FLOPs. */
export function describeCell(ops) {
  const counts = countOps(ops, () => true);
  const live = liveNodes(ops);
  const arriving = EDGES.map(
    ([, to]) => EDGES.filter((e, i) => e[1] === to && ops[i] !== NONE).length,
  );
  // A sum with one term left is that term, and what is multiplied by zero afterwards still runs.
  const folded = countOps(ops, (edge, to) => live.backward[to] || arriving[edge] === 1);
  const connected = live.backward[0];
  const flops = counts.reduce((sum, count, op) => sum + count * (FLOPS[op] ?? 0), 0);
  return {
    features: {
      counts,
      accounts: [
        termsOf(counts[NONE], counts, true),
        connected ? termsOf(counts[NONE], folded, true) : termsOf(0, [0, 0, 0, 0, 0], false),
      ],
    },
    flops,
  };
}

function termsOf(nones, counts, runs) {
  const convs = counts[CONV1] + counts[CONV3];
  const launches = CONV_KERNELS * convs + counts[POOL];
  const parts = counts.map((count) => CONV_KERNELS * count);
  parts[NONE] = nones;
  parts[SKIP] = counts[SKIP];
  return [
    runs ? 1 : 0,
    launches,
    CONV_KERNELS * convs,
    ...parts,
    counts[CONV3] + counts[CONV1] / 9,
  ];
}

function countOps(ops, runs) {
  const counts = OPS.map(() => 0);
  ops.forEach((op, edge) => {
    if (op === NONE || runs(edge, EDGES[edge][1])) counts[op]++;
  });
  return counts;
}

/** Nodes from which the output is reached. */
function liveNodes(ops) {
  const backward = [false, false, false, true];
  for (let edge = EDGES.length - 1; edge >= 0; edge--) {
    const [from, to] = EDGES[edge];
    if (ops[edge] !== NONE && backward[to]) backward[from] = true;
  }
  return { backward };
}
