// Latency tables: a JSON object (gzipped or not) of meta, columns and rows, of NAS-Bench-201 cells or
// FBNet architectures.
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { CELLS, canonicalCells, cellSchema, describeCell, parseCell } from './cell.mjs';
import { describeFbnet, fbnetSchema, parseFbnet } from './fbnet.mjs';

/** Columns of numbers that are no latency. */
const OTHERS = /^index$|energy|accuracy|flops|params|_(test|val|cost)_/;

/** A table's architectures as features, and its columns of positive numbers. */
export function readTable(path) {
  const bytes = readFileSync(path);
  const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  const { columns, rows } = JSON.parse(text.toString('utf8'));
  if (!Array.isArray(columns) || !Array.isArray(rows)) {
    throw new Error(`${path}: expected a JSON object with columns and rows`);
  }
  return { ...architecturesOf(path, columns, rows), columns: numbersOf(columns, rows) };
}

function numbersOf(columns, rows) {
  const values = columns.map((name, j) => [name, rows.map((row) => row[j])]);
  return new Map(
    values.filter(([, column]) => column.every((v) => typeof v === 'number' && v > 0)),
  );
}

/** Names of the columns that hold a latency, by the lack of any other sign. */
export function latencyColumns(table) {
  return [...table.columns.keys()].filter((name) => !OTHERS.test(name));
}

function architecturesOf(path, columns, rows) {
  for (const j of columns.keys()) {
    const column = rows.map((row) => row[j]);
    const cells = parseAll(column, parseCell);
    if (cells !== undefined) return described('nas-bench-201', cellSchema, cells, describeCell);
    const blocks = parseAll(column, parseFbnet);
    if (blocks !== undefined) return described('fbnet', fbnetSchema, blocks, describeFbnet);
  }
  const canonical = canonicalCells();
  const index = columns.indexOf('index');
  const numbers = rows.map((row, i) => (index < 0 ? i : row[index]));
  if ((index < 0 && rows.length !== CELLS) || numbers.some((i) => canonical[i] === undefined)) {
    throw new Error(
      `${path}: expected a column of architectures, or all ${CELLS} NAS-Bench-201 cells in their own order`,
    );
  }
  return described(
    'nas-bench-201',
    cellSchema,
    numbers.map((i) => canonical[i]),
    describeCell,
  );
}

function parseAll(column, parse) {
  const parsed = column.map(parse);
  return parsed.every((one) => one !== undefined) ? parsed : undefined;
}

function described(space, schema, architectures, describe) {
  const all = architectures.map(describe);
  return {
    space,
    schema,
    features: all.map(({ features }) => features),
    flops: all.map(({ flops }) => flops),
  };
}
