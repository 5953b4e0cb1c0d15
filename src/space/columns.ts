/**
 * A space that a person's own table spans: each row an architecture, named by the values of some of its
 * columns. Nothing is known of the networks themselves.
 */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { DEFAULT_OPSET, type Graph } from '../ir/graph.js';
import { createListedSpace } from './listed.js';
import type { Decision, Space } from './space.js';

/** Value of each decision. */
export type Row = Readonly<Record<string, number | string>>;

/** The space of `rows`, each of which has a value for every one of `names`. */
export function createColumnsSpace(names: readonly string[], rows: readonly Row[]): Space<Row> {
  const { decisions, choices } = columnChoices(names, rows);
  return createListedSpace<Row>(
    {
      name: 'columns',
      task: { channels: 0, height: 0, width: 0, classes: 0 },
      schema: z.record(z.string(), z.union([z.number(), z.string()])),
      decisions,
      choices,
      features(row) {
        const taken = choices(row);
        return Float64Array.from(decisions.flatMap((one, i) => scale(one, taken[i] as number)));
      },
      decode: () => NO_GRAPH,
      describe: (row) => names.map((name) => `${name} ${row[name]}`).join(', '),
      parse: (json) => parseRow(json, names),
      baselines: () => [],
    },
    rows,
  );
}

/** The decisions of rows, and the option that a row takes for each. */
export function columnChoices(names: readonly string[], rows: readonly Row[]) {
  const decisions = names.map((name) => decisionOf(name, rows));
  const choices = (row: Row): readonly number[] =>
    decisions.map(({ name, values }) => values.indexOf(row[name] as number | string));
  return { decisions, choices };
}

/** What stands for networks that nobody knows. */
const NO_GRAPH: Graph = {
  name: 'row',
  opsets: { '': DEFAULT_OPSET },
  inputs: [],
  outputs: [],
  initializers: [],
  nodes: [],
  metadata: {},
};

/** The values that occur, numbers by size. Numbers are alike where they are close, words are not. */
function decisionOf(name: string, rows: readonly Row[]): Decision {
  const values = [...new Set(rows.map((row) => row[name] as number | string))];
  const ordered = values.every((value) => typeof value === 'number');
  values.sort(ordered ? (a, b) => Number(a) - Number(b) : compareText);
  return { name, options: values.length, values, ordered };
}

function compareText(a: number | string, b: number | string): number {
  return String(a) < String(b) ? -1 : 1;
}

/** An ordered option as its rank in 0 … 1, another as one of as many zeros and ones. */
function scale({ ordered, options }: Decision, at: number): number[] {
  if (ordered) return [at / Math.max(1, options - 1)];
  return Array.from({ length: options }, (_, option) => Number(option === at));
}

/** The decisions of a row in their order. Throws `UsageError` where it is none. */
export function parseRow(json: unknown, names: readonly string[]): Row {
  const given = typeof json === 'object' && json !== null ? json : {};
  const values = names.map((name) => [name, Reflect.get(given, name)] as const);
  const unfit = values.find(([, value]) => typeof value !== 'number' && typeof value !== 'string');
  if (unfit === undefined) return Object.fromEntries(values);
  throw new UsageError(
    `architecture.${unfit[0]}: expected a number or a word, received ${JSON.stringify(unfit[1]) ?? 'nothing'}`,
  );
}
