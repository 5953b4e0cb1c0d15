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
  const short = table.rows.findIndex((row) => row.length !== width);
  if (short >= 0) {
    throw new UsageError(
      `${file}: row ${short + 1}: expected ${width} values, received ${table.rows[short]?.length}`,
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
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const [header, ...body] = lines.map(splitCsv);
  if (header === undefined || body.length === 0) {
    throw new UsageError(`${file}: expected a header and rows, received ${lines.length} lines`);
  }
  const toCell = (value: string): Cell => {
    if (value === '') return null;
    const number = Number(value);
    return Number.isNaN(number) ? value : number;
  };
  return { file, columns: header, rows: body.map((row) => row.map(toCell)) };
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

/**
 * The numbers of a column by the value of another that names the row. Throws `UsageError` at the first
 * that is no finite number.
 */
export function valuesBy(table: Table, key: string, name: string): ReadonlyMap<string, number> {
  const [keyAt, at] = [columnOf(table, key), columnOf(table, name)];
  return new Map(
    table.rows.map((row, i) => {
      const value = row[at];
      if (typeof value !== 'number' || !Number.isFinite(value)) {
        throw new UsageError(
          `${table.file}: row ${i + 1}, column ${name}: expected a number, received ${value}`,
        );
      }
      return [String(row[keyAt]), value];
    }),
  );
}
