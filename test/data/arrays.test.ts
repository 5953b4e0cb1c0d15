/** Rows of any kind from NumPy files, CSV and text. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ArraySplit, loadArrays } from '../../src/data/arrays.js';
import { loadText } from '../../src/data/text.js';
import { createFolder, expectUsageError } from './fixtures.js';
import { writeNpy } from './npy-file.js';

const column = (split: ArraySplit, name: string) =>
  split.columns.find((one) => one.name === name) as ArraySplit['columns'][number];

describe('NumPy files', () => {
  function createArrays(): string {
    const folder = createFolder();
    const rows = Array.from({ length: 20 }, (_, i) => i);
    writeNpy(
      join(folder, 'a_b.npy'),
      '<f8',
      [20, 2],
      Float64Array.from(rows.flatMap((i) => [i, -i])),
    );
    writeNpy(join(folder, 'c.npy'), '<i8', [20], BigInt64Array.from(rows, BigInt));
    writeNpy(join(folder, 'target.npy'), '|u1', [20, 1], Uint8Array.from(rows));
    return folder;
  }

  test('are read by the names of inputs, and rows stay together', async () => {
    const { train, search, hidden } = await loadArrays(createArrays(), ['a/b', 'c']);
    expect([train.count, search.count, hidden.count]).toEqual([14, 3, 3]);
    expect(column(train, 'a/b')).toMatchObject({ dtype: 'float64', rowDims: [2] });
    expect(column(train, 'target')).toMatchObject({ dtype: 'uint8', rowDims: [1] });
    const seen = [train, search, hidden].flatMap((split) => {
      const rows = Array.from(column(split, 'c').data, Number);
      expect(Array.from(column(split, 'target').data, Number)).toEqual(rows);
      expect(Array.from(column(split, 'a/b').data, Number)).toEqual(rows.flatMap((i) => [i, -i]));
      return rows;
    });
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  });

  test('the seed decides the splits', async () => {
    const folder = createArrays();
    const rows = async (seed: number) =>
      Array.from(column((await loadArrays(folder, ['c'], { seed })).search, 'c').data, Number);
    expect(await rows(0)).toEqual(await rows(0));
    expect(await rows(0)).not.toEqual(await rows(1));
  });

  test('what is wrong is told in one line', async () => {
    const folder = createArrays();
    const load = (...inputs: string[]) => loadArrays(folder, inputs);
    const missing = await load('d').catch((error: Error) => error.message);
    expect(missing).toMatch(
      /expected d\.npy for input d of the model, found a_b\.npy, c\.npy, tar/,
    );
    writeNpy(join(folder, 'c3.npy'), '<f4', [19], new Float32Array(19));
    await expectUsageError(load('c', 'c3'), /expected 20 rows in every array, received 19 in c3/);
    writeNpy(join(folder, 'c4.npy'), '<c8', [20], new Float32Array(40));
    await expectUsageError(load('c4'), /c4\.npy: expected elements of <f4, .* received <c8/);
    writeNpy(join(folder, 'c5.npy'), '<f4', [20, 2], new Float32Array(40), 'True');
    await expectUsageError(load('c5'), /row-major array.*received a column-major one/);
    writeNpy(join(folder, 'c6.npy'), '<f4', [20], new Float32Array(19));
    await expectUsageError(load('c6'), /expected 80 bytes of elements, received 76; it is damaged/);
    writeFileSync(join(folder, 'c7.npy'), 'text');
    await expectUsageError(load('c7'), /c7\.npy: expected a NumPy array file/);
  });
});

describe('CSV', () => {
  function write(...lines: readonly string[]): string {
    const path = join(createFolder(), 'table.csv');
    writeFileSync(path, `${lines.join('\n')}\n`);
    return path;
  }
  const rows = Array.from(
    { length: 10 },
    (_, i) => `${i},${i / 2},${i % 2 ? 'yes' : 'no'},${3 * i}`,
  );

  test('an only input gets all columns; targets may be names', async () => {
    const data = await loadArrays(write('a,b,target,c', ...rows), ['x']);
    expect(data.classes).toEqual(['no', 'yes']);
    const x = column(data.train, 'x');
    expect(x.rowDims).toEqual([3]);
    const labels = column(data.train, 'target').data;
    for (let row = 0; row < data.train.count; row++) {
      const [a = 0, b, c] = x.data.subarray(3 * row, 3 * row + 3) as Float32Array;
      expect([b, c]).toEqual([a / 2, 3 * a]);
      expect(labels[row]).toBe(a % 2);
    }
  });

  test('several inputs get columns by name', async () => {
    const data = await loadArrays(write('x.1,y,target,x.2', ...rows), ['x', 'y']);
    expect(column(data.train, 'x').rowDims).toEqual([2]);
    expect(column(data.train, 'y').rowDims).toEqual([1]);
  });

  test('what is wrong is told with its line', async () => {
    const load = (...lines: string[]) => loadArrays(write(...lines), ['x']);
    await expectUsageError(
      load('a,target', '1,2', '3'),
      /table\.csv:3: expected 2 cells, .* received 1/,
    );
    await expectUsageError(
      load('a,target', '1,2', 'k,2'),
      /table\.csv:3: expected a number in column a/,
    );
    await expectUsageError(load('a,target'), /expected rows of numbers, received none/);
    await expectUsageError(load('a', '1', '2'), /three splits of 0, 1 and 1, received 2/);
  });
});

describe('text', () => {
  test('targets are the characters that follow', async () => {
    const path = join(createFolder(), 'text.txt');
    const text = 'to be, or not to be: that is the question.\n'.repeat(20);
    writeFileSync(path, text);
    const data = await loadText(path, 'tokens', 16);
    expect(data.classes).toEqual([...new Set(text)].sort());
    const decode = (split: ArraySplit, name: string) =>
      Array.from(column(split, name).data, Number)
        .map((k) => data.classes[k])
        .join('');
    const inputs = decode(data.train, 'tokens');
    expect(text.startsWith(inputs)).toBe(true);
    expect(decode(data.train, 'target')).toBe(text.slice(1, inputs.length + 1));
    expect(text.endsWith(`${decode(data.hidden, 'target')}`)).toBe(false);
    expect(text).toContain(decode(data.hidden, 'tokens'));
    const long = loadText(path, 'tokens', 200);
    await expectUsageError(long, /expected a text of at least 2010 characters .* received 860/);
  });
});
