/**
 * The network around a cell, as NAS-Bench-201 trains it (arXiv 2001.00326, §2): a 3×3 stem, three
 * stages of five cells with 16, 32 and 64 channels, a residual block of stride 2 between stages, batch
 * norm, ReLU, global pooling and a classifier.
 */
import type { GraphBuilder } from '../ir/builder.js';
import type { Graph } from '../ir/graph.js';
import { addBatchNorm, addConv, addGlobalPool, addLinear } from './block/layer.js';
import { CELL_EDGES, type CellEdges, type CellOperation, LAST_NODE } from './cell-architecture.js';
import { createTaskBuilder } from './conv-decode.js';
import type { TaskShape } from './space.js';

/** Size of the network: channels of the first stage, and cells in each stage. */
export interface CellScale {
  readonly width: number;
  readonly cells: number;
}

/** As NAS-Bench-201 trains it. */
export const PUBLISHED_SCALE: CellScale = { width: 16, cells: 5 };
/** Channels of the stages, in widths of the first one. */
const STAGES = [1, 2, 4];

/** Adds a cell of that width to the builder; returns its output. */
export type AddCell = (b: GraphBuilder, input: string, prefix: string, width: number) => string;

/** The deployment graph: `image` to `logits` [N, classes]. */
export function decodeCell(
  edges: CellEdges,
  task: TaskShape,
  scale: CellScale = PUBLISHED_SCALE,
): Graph {
  const b = createTaskBuilder('cell', task);
  addCellNetwork(b, task, scale, (_, input, prefix, width) =>
    addCell(b, input, prefix, edges, width),
  );
  return b.build();
}

/** Adds the whole network around cells, from `image` to the output `logits`. */
export function addCellNetwork(
  b: GraphBuilder,
  task: TaskShape,
  { width: first, cells }: CellScale,
  add: AddCell,
): void {
  let value = addConv(b, 'image', 'stem.conv', { width: first, kernel: 3 });
  value = addBatchNorm(b, value, 'stem.norm');
  STAGES.forEach((factor, s) => {
    const width = factor * first;
    if (s > 0) value = addReduction(b, value, `reduce${s}`, width);
    for (let c = 1; c <= cells; c++) {
      value = add(b, value, `stage${s + 1}.cell${c}`, width);
    }
  });
  value = b.op('Relu', [addBatchNorm(b, value, 'head.norm')], {}, 'head.act');
  b.output(addLinear(b, addGlobalPool(b, value, 'head'), 'logits', task.classes));
}

/**
 * A cell. A node with `none` on every edge into it is zero, and what follows it is computed all the
 * same, as published: batch norm makes a constant of it.
 */
function addCell(
  b: GraphBuilder,
  input: string,
  prefix: string,
  edges: CellEdges,
  width: number,
): string {
  const nodes = [input];
  for (let node = 1; node <= LAST_NODE; node++) {
    const terms = CELL_EDGES.flatMap(({ from, to }, i) => {
      const operation = edges[i] as CellOperation;
      if (to !== node || operation === 'none') return [];
      const name = `${prefix}.edge${from}${to}`;
      return [addOperation(b, nodes[from] as string, name, operation, width)];
    });
    nodes[node] =
      terms.length === 0
        ? b.op('Mul', [input, b.scalar(0)], {}, `${prefix}.node${node}.zero`)
        : terms.reduce((sum, term) => b.op('Add', [sum, term], {}, `${prefix}.node${node}.add`));
  }
  return nodes[LAST_NODE] as string;
}

/** Adds an operation of a cell; returns its output. */
export function addOperation(
  b: GraphBuilder,
  input: string,
  prefix: string,
  operation: Exclude<CellOperation, 'none'>,
  width: number,
): string {
  switch (operation) {
    case 'skip_connect':
      return input;
    case 'nor_conv_1x1':
      return addReluConvNorm(b, input, prefix, width, 1);
    case 'nor_conv_3x3':
      return addReluConvNorm(b, input, prefix, width, 3);
    case 'avg_pool_3x3':
      return b.op(
        'AveragePool',
        [input],
        { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], count_include_pad: 0 },
        `${prefix}.pool`,
      );
  }
}

function addReluConvNorm(
  b: GraphBuilder,
  input: string,
  prefix: string,
  width: number,
  kernel: number,
  stride = 1,
): string {
  const active = b.op('Relu', [input], {}, `${prefix}.act`);
  const convolved = addConv(b, active, `${prefix}.conv`, { width, kernel, stride });
  return addBatchNorm(b, convolved, `${prefix}.norm`);
}

/** Halves the sides: two 3×3 convolutions beside 2×2 average pooling and a 1×1 convolution. */
function addReduction(b: GraphBuilder, input: string, prefix: string, width: number): string {
  const first = addReluConvNorm(b, input, `${prefix}.a`, width, 3, 2);
  const main = addReluConvNorm(b, first, `${prefix}.b`, width, 3);
  // Odd sides are rounded up, as the convolutions round them.
  const window = { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 };
  const pooled = b.op('AveragePool', [input], window, `${prefix}.pool`);
  const shortcut = addConv(b, pooled, `${prefix}.shortcut`, { width, kernel: 1 });
  return b.op('Add', [main, shortcut], {}, `${prefix}.add`);
}
