/**
 * The four forms of a report: text for people (the default), JSON (the whole document), CSV by
 * RFC 4180 (a line per result, a column per leaf of its document, unrounded) and Markdown (the
 * numbers that matter, as a table that can be pasted into a pull request).
 */
import { type Command, Option } from 'commander';
import type { Column } from './table.js';

/** Flags of every command that prints a report; at most one is set. */
export interface FormatFlags {
  readonly json?: boolean;
  readonly csv?: boolean;
  readonly markdown?: boolean;
}

/** How a document is told. */
export interface Report<Row> {
  /** For people. */
  readonly text: () => string;
  /** One per result; plain data. */
  readonly rows: readonly Row[];
  /** Columns of the Markdown table. */
  readonly columns: readonly Column<Row>[];
}

/** A value without parts in plain data, and the way to it such as `latencyMs.ci95.0`. */
export interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

/** Adds `--json`, `--csv` and `--markdown`, of which one may be given. */
export function addFormatOptions(command: Command): Command {
  const forms = {
    json: 'print one JSON document',
    csv: 'print comma-separated values, a line per result',
    markdown: 'print a Markdown table',
  };
  const names = Object.keys(forms);
  for (const [name, description] of Object.entries(forms)) {
    const others = names.filter((other) => other !== name);
    command.addOption(new Option(`--${name}`, description).conflicts(others));
  }
  return command;
}

/** Prints `document` in the form that the flags ask for. */
export function printReport<Row>(
  document: unknown,
  flags: FormatFlags,
  { text, rows, columns }: Report<Row>,
): void {
  const output = flags.json
    ? JSON.stringify(document, null, 2)
    : flags.csv
      ? encodeCsv(rows)
      : flags.markdown
        ? formatMarkdown(columns, rows)
        : text();
  process.stdout.write(`${output}\n`);
}

/**
 * Lines of CSV ended by CRLF between them, the header first: every leaf that some row has. Lists of
 * texts stay in one field, separated by spaces, and so do the sizes of a `shape`, joined by `x`.
 */
export function encodeCsv(rows: readonly unknown[]): string {
  const flat = rows.map((row) => new Map(leavesOf(row).map(({ path, value }) => [path, value])));
  const header = [...new Set(flat.flatMap((row) => [...row.keys()]))];
  const lines = flat.map((row) => header.map((path) => String(row.get(path) ?? '')));
  return [header, ...lines].map((line) => line.map(encodeField).join(',')).join('\r\n');
}

function encodeField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Every leaf of plain data, in its order. */
export function leavesOf(value: unknown, path = ''): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }];
  if (Array.isArray(value)) {
    const texts = value.every((item) => typeof item === 'string');
    if (texts) return [{ path, value: value.join(' ') }];
    if (/(^|\.)shape$/.test(path)) return [{ path, value: value.join('x') }];
  }
  return Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .flatMap(([key, part]) => leavesOf(part, path === '' ? key : `${path}.${key}`));
}

/** A table in GitHub's Markdown; what would end a cell or a line is escaped. */
export function formatMarkdown<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => escapeCell(title))),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...rows.map((row) => line(columns.map(({ value }) => escapeCell(value(row))))),
  ].join('\n');
}

function escapeCell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll(/\r?\n/g, '<br>');
}
