import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import {
  addFormatOptions,
  encodeCsv,
  formatMarkdown,
  leavesOf,
} from '../../src/cli/report-format.js';

/** Fields of CSV text by RFC 4180, read independently of the writer. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/gy,
  )) {
    rows.at(-1)?.push(quoted === undefined ? (plain as string) : quoted.replaceAll('""', '"'));
    if (end === '\r\n') rows.push([]);
    if (end === '') break;
  }
  return rows;
}

describe('reports', () => {
  it('have a column of CSV per leaf, unrounded', () => {
    const rows = [
      { model: 'a, "b".onnx', latencyMs: { p50: 0.12345678901, ci95: [1, 2] }, flags: [] },
      {
        model: 'two\r\nlines',
        latencyMs: { p50: 3 },
        inputs: { x: { shape: [1, 3, 8] } },
        flags: ['noisy', 'grouped'],
        steady: false,
        absent: undefined,
      },
    ];
    expect(parseCsv(encodeCsv(rows))).toEqual([
      [
        'model',
        'latencyMs.p50',
        'latencyMs.ci95.0',
        'latencyMs.ci95.1',
        'flags',
        'inputs.x.shape',
        'steady',
      ],
      ['a, "b".onnx', '0.12345678901', '1', '2', '', '', ''],
      ['two\r\nlines', '3', '', '', 'noisy grouped', '1x3x8', 'false'],
    ]);
  });

  it('name every leaf', () => {
    expect(leavesOf({ a: 1, b: { c: null, d: [true, false] } })).toEqual([
      { path: 'a', value: 1 },
      { path: 'b.c', value: null },
      { path: 'b.d.0', value: true },
      { path: 'b.d.1', value: false },
    ]);
  });

  it('escape what would break a Markdown table', () => {
    const rows = [{ name: 'a|b\\c\nd', n: 1 }];
    const table = formatMarkdown(
      [
        { title: 'name', value: (row: (typeof rows)[number]) => row.name },
        { title: 'p50 | ms', value: ({ n }) => n.toFixed(1), align: 'right' },
      ],
      rows,
    );
    expect(table).toBe('| name | p50 \\| ms |\n| --- | ---: |\n| a\\|b\\\\c<br>d | 1.0 |');
  });

  it('come in one form at a time', () => {
    const command = (): Command =>
      addFormatOptions(new Command('x'))
        .exitOverride()
        .configureOutput({ writeErr: () => {} });
    expect(command().parse(['--csv'], { from: 'user' }).opts()).toEqual({ csv: true });
    expect(() => command().parse(['--csv', '--json'], { from: 'user' })).toThrow(
      /cannot be used with option/,
    );
  });
});
