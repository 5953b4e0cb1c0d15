/**
 * Cells of NAS-Bench-201 (Dong and Yang, arXiv 2001.00326): four nodes, an operation on each of the
 * six edges from an earlier node to a later one, 5⁶ = 15,625 in all. An architecture is its published
 * string, `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`: one group for each node after the first, one entry for
 * each edge into it, with the number of the node that it comes from.
 */
import { z } from 'zod';
import { UsageError } from '../errors.js';

export const CELL_OPERATIONS = [
  'none',
  'skip_connect',
  'nor_conv_1x1',
  'nor_conv_3x3',
  'avg_pool_3x3',
] as const;
export type CellOperation = (typeof CELL_OPERATIONS)[number];

/** Edges in the order of the string. */
export const CELL_EDGES = [
  { from: 0, to: 1 },
  { from: 0, to: 2 },
  { from: 1, to: 2 },
  { from: 0, to: 3 },
  { from: 1, to: 3 },
  { from: 2, to: 3 },
] as const;
/** The node that is the cell's output. */
export const LAST_NODE = 3;

/** Number of architectures. */
export const CELL_COUNT = CELL_OPERATIONS.length ** CELL_EDGES.length;

/** One operation per edge. */
export type CellEdges = readonly CellOperation[];

/** The string of a cell. */
export function formatCell(edges: CellEdges): string {
  const groups = [1, 2, LAST_NODE].map((node) => {
    const entries = CELL_EDGES.flatMap(({ from, to }, i) =>
      to === node ? [`${edges[i]}~${from}`] : [],
    );
    return `|${entries.join('|')}|`;
  });
  return groups.join('+');
}

const entry = (from: number) => `(${CELL_OPERATIONS.join('|')})~${from}`;
const group = (node: number) =>
  `\\|${Array.from({ length: node }, (_, from) => `${entry(from)}\\|`).join('')}`;

/** Strings of cells. */
export const cellSchema = z
  .string()
  .regex(new RegExp(`^${[1, 2, LAST_NODE].map(group).join('\\+')}$`));

/** The operations of a cell's string. Throws `UsageError` for any other string. */
export function parseCell(json: unknown): CellEdges {
  const text = typeof json === 'string' ? json : '';
  const edges = [...text.matchAll(/\|?([a-z0-9_]+)~\d/g)].map(([, name]) => name as CellOperation);
  if (edges.every((name) => CELL_OPERATIONS.includes(name)) && formatCell(edges) === text) {
    return edges;
  }
  const received = JSON.stringify(json)?.slice(0, 120) ?? typeof json;
  throw new UsageError(
    `cell: expected |op~0|+|op~0|op~1|+|op~0|op~1|op~2| with ops of ${CELL_OPERATIONS.join(', ')}; received ${received}`,
  );
}

/** The cell of a number in 0 … 15,624: the edges as digits to base 5, the first edge the lowest. */
export function cellOf(number: number): CellEdges {
  return CELL_EDGES.map((_, i) => {
    const digit = Math.floor(number / CELL_OPERATIONS.length ** i) % CELL_OPERATIONS.length;
    return CELL_OPERATIONS[digit] as CellOperation;
  });
}

/** Paths from the input to the output, each a list of edges. */
export const CELL_PATHS: readonly (readonly number[])[] = pathsTo(LAST_NODE);

function pathsTo(node: number): number[][] {
  if (node === 0) return [[]];
  return CELL_EDGES.flatMap(({ from, to }, i) =>
    to === node ? pathsTo(from).map((path) => [...path, i]) : [],
  );
}
