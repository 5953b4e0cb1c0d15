import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../src/data/data.js';
import {
  createFolder,
  expectBalanced,
  expectDisjoint,
  expectUsageError,
  isSameSplit,
} from './fixtures.js';

const side = 4;
const trainCount = 200;
const testCount = 50;
const sizes = { train: 100, search: 40 } as const;

function encodeIdx(dims: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * dims.length);
  header.writeUInt32BE(0x0800 | dims.length, 0);
  dims.forEach((dim, axis) => {
    header.writeUInt32BE(dim, 4 + 4 * axis);
  });
  return Buffer.concat([header, data]);
}

/** Every image is its own number, in base 256, then its label; `from` keeps the parts apart. */
function encodePart(count: number, from: number) {
  const images = new Uint8Array(count * side * side);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  labels.forEach((label, i) => {
    images.set([from + (i >> 8), i & 255, label], i * side * side);
  });
  return {
    images: encodeIdx([count, side, side], images),
    labels: encodeIdx([count], labels),
  };
}

function writeSet(pack: (bytes: Buffer) => Buffer = (bytes) => bytes, suffix = ''): string {
  const dir = createFolder();
  for (const [part, { images, labels }] of [
    ['train', encodePart(trainCount, 0)],
    ['t10k', encodePart(testCount, 100)],
  ] as const) {
    writeFileSync(join(dir, `${part}-images-idx3-ubyte${suffix}`), pack(images));
    writeFileSync(join(dir, `${part}-labels-idx1-ubyte${suffix}`), pack(labels));
  }
  return dir;
}

const load = (dir: string) => loadDataset({ kind: 'idx', dir, ...sizes });

describe('IDX files', () => {
  it('become three balanced, disjoint splits with images and labels kept together', async () => {
    const dir = writeSet();
    const dataset = await load(dir);
    expect(dataset).toMatchObject({ name: basename(dir), channels: 1, height: side, width: side });
    expect(dataset.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expectDisjoint(dataset);
    for (const [split, count] of [
      [dataset.train, 100],
      [dataset.search, 40],
      [dataset.hidden, testCount],
    ] as const) {
      expect(split.count).toBe(count);
      expect(split.images.length).toBe(count * side * side);
      expectBalanced(split, 10);
      split.labels.forEach((label, i) => {
        expect(split.images[i * side * side + 2]).toBe(label);
      });
    }
    expect(dataset.train.images.every((byte, i) => i % (side * side) !== 0 || byte < 100)).toBe(
      true,
    );
    expect(dataset.hidden.images[0]).toBe(100);
  });

  it('are the same gzipped and plain, and for the same seed', async () => {
    const plain = await load(writeSet());
    expect((await load(writeSet(gzipSync, '.gz'))).fingerprint).toBe(plain.fingerprint);
    const dir = writeSet();
    const other = await loadDataset({ kind: 'idx', dir, ...sizes, seed: 1 });
    expect(other.fingerprint).not.toBe(plain.fingerprint);
    const capped = await loadDataset({ kind: 'idx', dir, ...sizes, train: 50, hidden: 20 });
    expect(isSameSplit(capped.search, plain.search)).toBe(true);
    expect([capped.train.count, capped.hidden.count]).toEqual([50, 20]);
  });
});

describe('an IDX folder that cannot be used gets one line', () => {
  const trainImages = 'train-images-idx3-ubyte';
  const testLabels = 't10k-labels-idx1-ubyte';

  it('missing, or a file', async () => {
    const dir = writeSet();
    await expectUsageError(load(join(dir, 'nowhere')), /data\.dir/, /nowhere/, /nothing at that/);
    await expectUsageError(load(join(dir, testLabels)), /not a folder/);
  });

  it('without one of the files', async () => {
    const dir = writeSet();
    rmSync(join(dir, testLabels));
    await expectUsageError(load(dir), dir, `${testLabels} or ${testLabels}.gz`);
  });

  it.each([
    ['cut in the header', (b: Buffer) => b.subarray(0, 9), /header of 16 bytes, received 9/],
    ['cut in the data', (b: Buffer) => b.subarray(0, -1), /3200 bytes .*received 3199.*truncated/],
    ['too long', (b: Buffer) => Buffer.concat([b, b]), /3200 bytes .*received 6416.*damaged/],
    ['of labels', () => encodePart(trainCount, 0).labels, /0x00000803.*received 0x00000801/],
    ['of no image', () => encodeIdx([0, side, side], new Uint8Array()), /0 × 4 × 4/],
    ['blank', (b: Buffer) => Buffer.concat([b.subarray(0, 16), Buffer.alloc(3200)]), /differ/],
  ])('with an image file %s', async (_, change, pattern) => {
    const dir = writeSet();
    writeFileSync(join(dir, trainImages), change(encodePart(trainCount, 0).images));
    await expectUsageError(load(dir), dir, pattern);
  });

  it('with a truncated gzip file', async () => {
    const dir = writeSet((bytes) => gzipSync(bytes).subarray(0, -9), '.gz');
    await expectUsageError(load(dir), `${trainImages}.gz`, /whole gzip file/);
  });

  it.each([
    [
      'out of range',
      [...Array(49).keys()].map((i) => i % 10).concat(10),
      /0 to 9, received 10.* 49 /,
    ],
    ['of a class missing', Array(50).fill(3), /none labelled 0/],
    ['in another number', [...Array(40).keys()].map((i) => i % 10), /50 labels.*received 40/],
  ])('with labels %s', async (_, labels, pattern) => {
    const dir = writeSet();
    writeFileSync(join(dir, testLabels), encodeIdx([labels.length], Uint8Array.from(labels)));
    await expectUsageError(load(dir), testLabels, pattern);
  });

  it('with test images of another size', async () => {
    const dir = writeSet();
    const images = encodeIdx([testCount, 2, 2], new Uint8Array(testCount * 4));
    writeFileSync(join(dir, 't10k-images-idx3-ubyte'), images);
    await expectUsageError(load(dir), /4 × 4 and 2 × 2/);
  });

  it.each([
    [{ search: 195 }, /data\.search: .*10 .*190.*received 195/],
    [{ search: 20, train: 181 }, /data\.train: .*180.*received 181/],
    [{ ...sizes, hidden: 51 }, /data\.hidden: .*50.*received 51/],
    [{ ...sizes, train: 9 }, /data\.train: .*10 \(one image per class\)/],
    [{ ...sizes, train: 50.5 }, /whole number.*received 50\.5/],
    [{}, /data\.search: .*received 5000 by default/],
  ])('with sizes %o', async (options, pattern) => {
    await expectUsageError(loadDataset({ kind: 'idx', dir: writeSet(), ...options }), pattern);
  });
});
