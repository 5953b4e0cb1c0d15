import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../src/data/data.js';
import { createFolder, expectBalanced, expectDisjoint, expectUsageError } from './fixtures.js';

const classNames = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
const recordBytes = 3073;

/** Red planes hold the image's number from `from` on, green the label, blue the file's mark. */
function encodeRecords(count: number, from: number, mark: number): Buffer {
  const bytes = Buffer.alloc(count * recordBytes);
  for (let i = 0; i < count; i++) {
    const start = i * recordBytes;
    bytes[start] = i % 10;
    bytes.fill(from + i, start + 1, start + 1025);
    bytes.fill(i % 10, start + 1025, start + 2049);
    bytes.fill(mark + (i % 2), start + 2049, start + recordBytes);
  }
  return bytes;
}

function writeSet(): string {
  const dir = createFolder();
  writeFileSync(join(dir, 'data_batch_1.bin'), encodeRecords(50, 0, 10));
  writeFileSync(join(dir, 'data_batch_2.bin'), encodeRecords(50, 50, 20));
  writeFileSync(join(dir, 'test_batch.bin'), encodeRecords(30, 0, 30));
  writeFileSync(join(dir, 'batches.meta.txt'), `${classNames.join('\n')}\n\n`);
  return dir;
}

const load = (dir: string) => loadDataset({ kind: 'cifar10', dir, search: 20 });

describe('CIFAR files', () => {
  it('become three balanced, disjoint splits with planes and labels in their places', async () => {
    const dataset = await load(writeSet());
    expect(dataset).toMatchObject({ channels: 3, height: 32, width: 32, classes: classNames });
    expect([dataset.train.count, dataset.search.count, dataset.hidden.count]).toEqual([80, 20, 30]);
    expectDisjoint(dataset);
    for (const split of [dataset.train, dataset.search, dataset.hidden]) {
      expectBalanced(split, 10);
      split.labels.forEach((label, i) => {
        expect(split.images[i * 3072 + 1024]).toBe(label);
        expect(split.images[i * 3072 + 2047]).toBe(label);
      });
    }
    expect(dataset.hidden.images.subarray(2048, 3072).every((byte) => byte === 30)).toBe(true);
    expect(dataset.mean).toHaveLength(3);
    expect((await load(writeSet())).fingerprint).toBe(dataset.fingerprint);
  });
});

describe('a CIFAR folder that cannot be used gets one line', () => {
  it.each([
    ['batches.meta.txt', /batches\.meta\.txt: .*nothing at that path/],
    ['test_batch.bin', /files test\*\.bin, received none/],
  ])('without %s', async (name, pattern) => {
    const dir = writeSet();
    rmSync(join(dir, name));
    await expectUsageError(load(dir), dir, pattern);
  });

  it.each([
    ['data_batch_2.bin', encodeRecords(50, 0, 0).subarray(1), /multiple of 3073 .*received 153649/],
    ['data_batch_2.bin', Buffer.alloc(0), /multiple of 3073 .*received 0/],
    ['data_batch_2.bin', Buffer.alloc(recordBytes, 10), /0 to 9, received 10 for image 0/],
    ['test_batch.bin', encodeRecords(9, 0, 0), /none labelled 9/],
    ['batches.meta.txt', Buffer.from('cat\ndog\n'), /10 different class names.*received 2/],
    ['batches.meta.txt', Buffer.from('cat\n'.repeat(10)), /received 10 \(1 different\)/],
    ['train_1k.bin', encodeRecords(10, 0, 0), /data_batch_1\.bin and train_1k\.bin/],
  ])('with a wrong %s (case %#)', async (name, bytes, pattern) => {
    const dir = writeSet();
    writeFileSync(join(dir, name), bytes);
    await expectUsageError(load(dir), dir, pattern);
  });
});
