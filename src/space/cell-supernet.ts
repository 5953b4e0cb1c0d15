/**
 * The one-shot network of the cell space: every edge holds all its operations, each multiplied by the
 * gate of its option. All cells read the same gates and have weights of their own.
 */
import type { GraphBuilder } from '../ir/builder.js';
import { CELL_EDGES, CELL_OPERATIONS, type CellEdges, LAST_NODE } from './cell-architecture.js';
import { addCellNetwork, addOperation, type CellScale } from './cell-decode.js';
import { createTaskBuilder } from './conv-decode.js';
import type { Supernet, TaskShape } from './space.js';

/** Small enough to learn in minutes on a few cores. */
export const SUPERNET_SCALE: CellScale = { width: 8, cells: 1 };

/** Every operation on every edge. */
export function createCellSupernet(task: TaskShape, scale: CellScale = SUPERNET_SCALE): Supernet {
  const b = createTaskBuilder('cell.supernet', task);
  const gates = CELL_EDGES.map((_, e) =>
    CELL_OPERATIONS.map((operation) => b.input(`gate.${edgeName(e)}.${operation}`, 'float32', [])),
  );
  addCellNetwork(b, task, scale, (_, input, prefix, width) =>
    addMixedCell(b, input, prefix, width, gates),
  );
  // Whatever an edge holds, a path of the others' shortcuts leads through it.
  const reference = CELL_EDGES.map(() => CELL_OPERATIONS.indexOf('skip_connect'));
  return { graph: b.build(), gates, reference };
}

/**
 * Where a tensor of a cell's own network, of the same scale, lies in the supernet: operations stand
 * below their names there.
 */
export function nameInSupernet(edges: CellEdges, tensor: string): string {
  return tensor.replace(/\.edge(\d\d)\./, (match, digits: string) => {
    const e = CELL_EDGES.findIndex((_, i) => edgeName(i) === `edge${digits}`);
    return `${match}${edges[e]}.`;
  });
}

function edgeName(edge: number): string {
  const { from, to } = CELL_EDGES[edge] as (typeof CELL_EDGES)[number];
  return `edge${from}${to}`;
}

/** A cell; nodes are sums over all options of all edges into them. */
function addMixedCell(
  b: GraphBuilder,
  input: string,
  prefix: string,
  width: number,
  gates: readonly (readonly string[])[],
): string {
  const nodes = [input];
  for (let node = 1; node <= LAST_NODE; node++) {
    const terms = CELL_EDGES.flatMap(({ from, to }, e) => {
      if (to !== node) return [];
      return CELL_OPERATIONS.flatMap((operation, option) => {
        // What is not there adds nothing, however wide its gate.
        if (operation === 'none') return [];
        const name = `${prefix}.${edgeName(e)}.${operation}`;
        const value = addOperation(b, nodes[from] as string, name, operation, width);
        return [b.op('Mul', [value, gates[e]?.[option] as string], {}, `${name}.gated`)];
      });
    });
    nodes[node] = b.op('Sum', terms, {}, `${prefix}.node${node}`);
  }
  return nodes[LAST_NODE] as string;
}
