/** Reading a dataset's files, with failures turned into one line that says what to do. */
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorMessage, UsageError } from '../errors.js';

const gunzipAsync = promisify(gunzip);

/** Names in the folder, sorted. Throws `UsageError` if it is not a folder that can be read. */
export async function listFolder(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (cause) {
    const problem = describeFileError(cause);
    throw new UsageError(
      `data.dir: expected a folder of data files, received ${dir} (${problem}); ` +
        'check the path, or use the generated set with kind: glyphs',
      { cause },
    );
  }
}

/** The file's bytes, unpacked if its name ends in `.gz`. */
export async function readBytes(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const problem = describeFileError(cause);
    throw new UsageError(`${path}: expected a readable file, received none (${problem})`, {
      cause,
    });
  }
  if (!path.endsWith('.gz')) return bytes;
  try {
    return await gunzipAsync(bytes);
  } catch (cause) {
    throw new UsageError(
      `${path}: expected a whole gzip file, received ${bytes.length} bytes that do not unpack ` +
        `(${errorMessage(cause)}); fetch it again`,
      { cause },
    );
  }
}

/** Throws `UsageError` at the first label that is not below `classes`. */
export function checkLabelRange(path: string, labels: Uint8Array, classes: number): void {
  const bad = labels.findIndex((label) => label >= classes);
  if (bad >= 0) {
    throw new UsageError(
      `${path}: expected labels from 0 to ${classes - 1}, received ${labels[bad]} for image ` +
        `${bad} (counted from 0); the file is damaged or has other classes`,
    );
  }
}

/** Throws `UsageError` if a class has no image; `source` names the file or files. */
export function checkClassesPresent(source: string, labels: Uint8Array, classes: number): void {
  const seen = new Set(labels);
  for (let label = 0; label < classes; label++) {
    if (!seen.has(label)) {
      throw new UsageError(
        `${source}: expected images of all ${classes} classes, received none labelled ${label}; ` +
          'the set is incomplete, fetch it again',
      );
    }
  }
}

function describeFileError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is nothing at that path';
  if (code === 'ENOTDIR') return 'that is not a folder';
  if (code === 'EISDIR') return 'that is a folder';
  if (code === 'EACCES') return 'permission denied';
  return errorMessage(error);
}
