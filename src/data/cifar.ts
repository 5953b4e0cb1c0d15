/**
 * CIFAR-10's binary form: records of one label byte and 3,072 pixel bytes (red, green and blue
 * planes of 32 × 32, row-major), with class names one a line in `batches.meta.txt`.
 * Source: A. Krizhevsky, "The CIFAR-10 dataset", binary version.
 */
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import type { Split } from './data.js';
import { checkClassesPresent, checkLabelRange, listFolder, readBytes } from './files.js';
import type { PublishedDataset } from './published.js';

const channels = 3;
const side = 32;
const imageBytes = channels * side * side;
const recordBytes = 1 + imageBytes;
const metaFile = 'batches.meta.txt';

/** Reads the files of `dir`. Throws `UsageError` on any that is missing or malformed. */
export async function readCifar(dir: string): Promise<PublishedDataset> {
  const names = await listFolder(dir);
  const classes = await readClasses(join(dir, metaFile));
  const published = names.filter((name) => /^data_batch.*\.bin$/.test(name));
  const own = names.filter((name) => /^train.*\.bin$/.test(name));
  if (published.length > 0 && own.length > 0) {
    throw new UsageError(
      `${dir}: expected training files of one kind, received ${published[0]} and ${own[0]}, ` +
        'which may hold the same images; keep one kind',
    );
  }
  const test = names.filter((name) => /^test.*\.bin$/.test(name));
  return {
    name: basename(resolve(dir)),
    classes,
    channels,
    height: side,
    width: side,
    dir,
    train: await readRecords(dir, [...published, ...own], 'data_batch*.bin or train*.bin', classes),
    test: await readRecords(dir, test, 'test*.bin', classes),
  };
}

async function readClasses(path: string): Promise<string[]> {
  const text = Buffer.from(await readBytes(path)).toString('utf8');
  const classes = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const distinct = new Set(classes).size;
  if (distinct !== 10 || classes.length !== 10) {
    throw new UsageError(
      `${path}: expected 10 different class names, one a line, received ${classes.length} ` +
        `(${distinct} different); fetch the file again`,
    );
  }
  return classes;
}

async function readRecords(
  dir: string,
  names: readonly string[],
  pattern: string,
  classes: readonly string[],
): Promise<Split> {
  if (names.length === 0) {
    throw new UsageError(
      `${dir}: expected files ${pattern}, received none of that name; unpack the binary version ` +
        'of CIFAR-10 there, or set data.dir to where it is',
    );
  }
  const files: Uint8Array[] = [];
  for (const name of names) files.push(await readRecordFile(join(dir, name), classes.length));
  const count = files.reduce((sum, bytes) => sum + bytes.length, 0) / recordBytes;
  const images = new Uint8Array(count * imageBytes);
  const labels = new Uint8Array(count);
  let index = 0;
  for (const bytes of files) {
    for (let start = 0; start < bytes.length; start += recordBytes, index++) {
      labels[index] = bytes[start] as number;
      images.set(bytes.subarray(start + 1, start + recordBytes), index * imageBytes);
    }
  }
  checkClassesPresent(`${dir}, ${pattern}`, labels, classes.length);
  return { count, images, labels };
}

async function readRecordFile(path: string, classes: number): Promise<Uint8Array> {
  const bytes = await readBytes(path);
  if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
    throw new UsageError(
      `${path}: expected a multiple of ${recordBytes} bytes (one label and 3 × 32 × 32 pixels ` +
        `each), received ${bytes.length}; the file is truncated or of another kind, fetch it again`,
    );
  }
  const labels = bytes.filter((_, offset) => offset % recordBytes === 0);
  checkLabelRange(path, labels, classes);
  return bytes;
}
