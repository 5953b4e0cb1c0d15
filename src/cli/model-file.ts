/** Reading the model files that commands are given. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorMessage, UsageError } from '../errors.js';
import { inlineExternalData } from '../ir/onnx/external.js';

/**
 * Bytes of a model file, external data brought in. Throws `UsageError` where the file, or one beside
 * it that holds its weights, cannot be read.
 */
export async function readModel(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await readFile(path));
  } catch (error) {
    throw new UsageError(`${path}: expected an ONNX file: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const files = new Map<string, Uint8Array>();
  const read = (location: string): Uint8Array => {
    const known = files.get(location);
    if (known !== undefined) return known;
    try {
      const data = new Uint8Array(readFileSync(join(dirname(path), location)));
      files.set(location, data);
      return data;
    } catch (error) {
      throw new UsageError(
        `${path}: expected its external data beside it: ${errorMessage(error)}`,
        { cause: error },
      );
    }
  };
  return inlineExternalData(bytes, read, path);
}
