/** The cell space of NAS-Bench-201, small enough to be listed whole; see `cell-architecture.ts`. */
import { UsageError } from '../errors.js';
import {
  CELL_COUNT,
  CELL_EDGES,
  CELL_OPERATIONS,
  CELL_PATHS,
  type CellEdges,
  type CellOperation,
  cellOf,
  cellSchema,
  formatCell,
  LAST_NODE,
  parseCell,
} from './cell-architecture.js';
import { decodeCell } from './cell-decode.js';
import { createCellSupernet } from './cell-supernet.js';
import type { Space, TaskShape } from './space.js';

/** Least side of an image: what two halvings leave something of. */
const MIN_IMAGE_SIDE = 4;

/** The cell space for a task. Throws `UsageError` for images that are too small to be halved twice. */
export function createCellSpace(task: TaskShape): Space<string> {
  const side = Math.min(task.height, task.width);
  if (side < MIN_IMAGE_SIDE) {
    throw new UsageError(
      `cell space: expected images of at least ${MIN_IMAGE_SIDE} pixels a side, received ${side}`,
    );
  }
  return {
    name: 'cell',
    task,
    schema: cellSchema,
    sample: (rng) => formatCell(cellOf(rng.integer(CELL_COUNT))),
    mutate: (architecture, rng, changes = 1) => {
      const edges = [...parseCell(architecture)];
      for (const edge of rng.shuffle(CELL_EDGES.map((_, i) => i)).slice(0, changes)) {
        edges[edge] = rng.pick(othersThan(edges[edge] as CellOperation));
      }
      return formatCell(edges);
    },
    cross: (a, b, rng) => {
      const [left, right] = [parseCell(a), parseCell(b)];
      return formatCell(
        left.map((own, i) => (rng.uniform() < 0.5 ? own : (right[i] as typeof own))),
      );
    },
    neighbours: (architecture) => {
      const edges = parseCell(architecture);
      return edges.flatMap((own, i) =>
        othersThan(own).map((other) => formatCell(edges.with(i, other))),
      );
    },
    list: () => Array.from({ length: CELL_COUNT }, (_, number) => formatCell(cellOf(number))),
    decisions: CELL_EDGES.map(({ from, to }) => ({
      name: `edge ${from}→${to}`,
      options: CELL_OPERATIONS.length,
      values: CELL_OPERATIONS,
      ordered: false,
    })),
    choices: (architecture) =>
      parseCell(architecture).map((operation) => CELL_OPERATIONS.indexOf(operation)),
    fromChoices: (choices) =>
      formatCell(CELL_EDGES.map((_, i) => CELL_OPERATIONS[choices[i] as number] as CellOperation)),
    features: (architecture) => featuresOf(parseCell(architecture)),
    decode: (architecture) => decodeCell(parseCell(architecture), task),
    describe: (architecture) => architecture,
    parse: (json) => formatCell(parseCell(json)),
    supernet: () => createCellSupernet(task),
    baselines: () => [
      {
        name: 'resnet-cell',
        graph: decodeCell(parseCell(RESNET_CELL), task),
        architecture: RESNET_CELL,
      },
    ],
  };
}

/** A residual block of two 3×3 convolutions as a cell. */
const RESNET_CELL =
  '|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|';

function othersThan(operation: CellOperation): readonly CellOperation[] {
  return CELL_OPERATIONS.filter((other) => other !== operation);
}

/**
 * Each edge's operation where a path runs through it (one of five), how many edges hold each operation,
 * how many paths without pooling have no, one, two and three convolutions, and whether any has. The
 * first tells what there is, the last what the cell can compute: whether the input reaches the output
 * unchanged counts, and not by which way. Edges that no whole path uses count as none, so cells that
 * compute the same have mostly the same features.
 */
function featuresOf(edges: CellEdges): Float64Array {
  const live = CELL_PATHS.filter((path) => path.every((edge) => edges[edge] !== 'none'));
  const used = edges.map((operation, i) =>
    live.some((path) => path.includes(i)) ? operation : 'none',
  );
  const oneHot = used.flatMap((operation) =>
    CELL_OPERATIONS.map((each) => Number(each === operation)),
  );
  const counts = CELL_OPERATIONS.slice(1).map(
    (each) => used.filter((operation) => operation === each).length,
  );
  const depths = live.map((path) => path.filter((e) => isConvolution(edges[e])).length);
  const plain = depths.filter((_, i) => !live[i]?.some((edge) => edges[edge] === 'avg_pool_3x3'));
  const byDepth = Array.from(
    { length: LAST_NODE + 1 },
    (_, depth) => plain.filter((each) => each === depth).length,
  );
  const present = byDepth.map((count) => Math.min(1, count));
  const deepest = Math.max(0, ...depths);
  return Float64Array.from([...oneHot, ...counts, ...byDepth, ...present, live.length, deepest]);
}

function isConvolution(operation: CellOperation | undefined): boolean {
  return operation?.startsWith('nor_conv') ?? false;
}
