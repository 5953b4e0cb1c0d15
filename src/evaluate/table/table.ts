/**
 * Tables of published scores: one row per architecture, columns of numbers. Files are JSON
 * (`{"columns": […], "rows": [[…], …]}`) or CSV with a header, either gzipped or not.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { errorMessage, UsageError } from '../../errors.js';

export type Cell = string | number | null;

export interface Table {
  /** Path of the file, for messages. */
  readonly file: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** Line of each row in the file, counted from 1, where rows are lines. */
  readonly lines?: readonly number[];
}

/** Where a row stands, for messages: `scores.csv:12`, or `scores.json: row 11`. */
export function placeOf({ file, lines }: Table, row: number): string {
  return lines === undefined ? `${file}: row ${row + 1}` : `${file}:${lines[row]}`;
}

/** Reads a table. Throws `UsageError` for what is none. */
export function readTable(file: string): Table {
  let text: string;
  try {
    const bytes = readFileSync(file);
    text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8');
  } catch (error) {
    throw new UsageError(`${file}: expected a table, received ${errorMessage(error)}`);
  }
  const table = /^\s*\{/.test(text) ? parseJson(file, text) : parseCsv(file, text);
  const width = table.columns.length;
  const twice = table.columns.find((name, i) => table.columns.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new UsageError(`${file}: expected columns of different names, received ${twice} twice`);
  }
  const short = table.rows.findIndex((row) => row.length !== width);
  if (short >= 0) {
    throw new UsageError(
      `${placeOf(table, short)}: expected ${width} values, received ${table.rows[short]?.length}`,
    );
  }
  return table;
}

function parseJson(file: string, text: string): Table {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${file}: expected JSON, received ${errorMessage(error)}`);
  }
  const { columns, rows } = value as Partial<Table>;
  if (!Array.isArray(columns) || !Array.isArray(rows) || !rows.every(Array.isArray)) {
    throw new UsageError(`${file}: expected {"columns": [names], "rows": [[values], …]}`);
  }
  return { file, columns, rows };
}

function parseCsv(file: string, text: string): Table {
  const numbered = text.split(/\r?\n/).map((line, i) => ({ line, number: i + 1 }));
  const filled = numbered.filter(({ line }) => line.trim() !== '');
  const [header, ...body] = filled.map(({ line }) => splitCsv(line));
  if (header === undefined || body.length === 0) {
    throw new UsageError(`${file}: expected a header and rows, received ${filled.length} lines`);
  }
  const toCell = (value: string): Cell => {
    if (value === '') return null;
    const number = Number(value);
    return Number.isNaN(number) ? value : number;
  };
  const lines = filled.slice(1).map(({ number }) => number);
  return { file, columns: header, rows: body.map((row) => row.map(toCell)), lines };
}

/** Values of a line; commas and doubled quotes may stand between quotes. */
function splitCsv(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? (plain ?? '').trim(),
  );
}

/** Position of a column. Throws `UsageError` that lists what there is. */
export function columnOf(table: Table, name: string): number {
  const at = table.columns.indexOf(name);
  if (at >= 0) return at;
  throw new UsageError(
    `${table.file}: expected a column ${name}, received ${table.columns.join(', ')}`,
  );
}

/** The number in a column of a row. Throws `UsageError` for what is no finite number. */
export function numberAt(table: Table, row: number, column: string): number {
  const value = table.rows[row]?.[columnOf(table, column)];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new UsageError(
    `${placeOf(table, row)}, column ${column}: expected a number, received ${value ?? 'nothing'}`,
  );
}
