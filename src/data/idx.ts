/**
 * IDX files, the form in which MNIST and Fashion-MNIST are published: a big-endian header (two
 * zero bytes, the element type, the number of dimensions, each dimension as uint32), then the
 * elements row-major. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", file formats.
 * Only unsigned bytes are read, and only sets of 10 classes: the files do not name their classes.
 */
import { createHash } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import type { Split } from './data.js';
import { checkClassesPresent, checkLabelRange, listFolder, readBytes } from './files.js';
import type { PublishedDataset } from './published.js';

const unsignedByte = 0x08;
const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** Fashion-MNIST is told from other sets by its training labels (Xiao et al., 2017, table 2). */
const fashion = {
  labelsSha256: '657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7',
  classes: [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ],
} as const;

/** Contents of one IDX file. */
export interface IdxArray {
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}

/** Decodes `bytes`; `path` only serves the message of the `UsageError` on a malformed file. */
export function decodeIdx(path: string, bytes: Uint8Array, rank: number): IdxArray {
  const headerBytes = 4 + 4 * rank;
  if (bytes.length < headerBytes) {
    throw new UsageError(
      `${path}: expected an IDX header of ${headerBytes} bytes, received ${bytes.length} bytes ` +
        'in all; the file is truncated, fetch it again',
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  const expected = (unsignedByte << 8) | rank;
  if (magic !== expected) {
    throw new UsageError(
      `${path}: expected magic number ${hex(expected)} (IDX, unsigned bytes, rank ${rank}), ` +
        `received ${hex(magic)}; this is another kind of file, fetch the right one`,
    );
  }
  const dims = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = dims.reduce((a, b) => a * b, 1);
  const received = bytes.length - headerBytes;
  if (size === 0 || received !== size) {
    throw new UsageError(
      `${path}: expected ${size} bytes after the header (${dims.join(' × ')}), received ` +
        `${received}; the file is ${received < size ? 'truncated' : 'damaged'}, fetch it again`,
    );
  }
  return { dims, data: bytes.subarray(headerBytes) };
}

/** Reads the four files of `dir`. Throws `UsageError` on any that is missing or malformed. */
export async function readIdx(dir: string): Promise<PublishedDataset> {
  const names = new Set(await listFolder(dir));
  const train = await readPair(dir, names, 'train');
  const test = await readPair(dir, names, 't10k');
  if (train.height !== test.height || train.width !== test.width) {
    throw new UsageError(
      `${dir}: expected training and test images of one size, received ${train.height} × ` +
        `${train.width} and ${test.height} × ${test.width}; the files belong to different sets`,
    );
  }
  const labelsSha256 = createHash('sha256').update(train.split.labels).digest('hex');
  return {
    name: basename(resolve(dir)),
    classes: labelsSha256 === fashion.labelsSha256 ? fashion.classes : digits,
    channels: 1,
    height: train.height,
    width: train.width,
    dir,
    train: train.split,
    test: test.split,
  };
}

async function readPair(
  dir: string,
  names: ReadonlySet<string>,
  part: 'train' | 't10k',
): Promise<{
  readonly split: Split;
  readonly height: number;
  readonly width: number;
}> {
  const imagesPath = findFile(dir, names, `${part}-images-idx3-ubyte`);
  const labelsPath = findFile(dir, names, `${part}-labels-idx1-ubyte`);
  const images = decodeIdx(imagesPath, await readBytes(imagesPath), 3);
  const labels = decodeIdx(labelsPath, await readBytes(labelsPath), 1);
  const [count, height, width] = images.dims as [number, number, number];
  if (labels.dims[0] !== count) {
    throw new UsageError(
      `${labelsPath}: expected ${count} labels, one for each image of ${imagesPath}, received ` +
        `${labels.dims[0]}; the files belong to different sets`,
    );
  }
  checkLabelRange(labelsPath, labels.data, digits.length);
  checkClassesPresent(labelsPath, labels.data, digits.length);
  return {
    split: { count, images: images.data, labels: labels.data },
    height,
    width,
  };
}

function findFile(dir: string, names: ReadonlySet<string>, name: string): string {
  const found = [name, `${name}.gz`].find((candidate) => names.has(candidate));
  if (found !== undefined) return join(dir, found);
  throw new UsageError(
    `${dir}: expected a file ${name} or ${name}.gz, received none of that name; ` +
      'put the four files of MNIST or Fashion-MNIST there, or set data.dir to where they are',
  );
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
