/** The ONNX conformance cases of `../shared/data`, read from the archive in memory. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const archive = fileURLToPath(
  new URL('../../../shared/data/onnx-node-tests.tar.gz', import.meta.url),
);

/** Whether the archive is there; a suite that needs it skips itself and says so. */
export const hasConformanceCases = existsSync(archive);
if (!hasConformanceCases) console.warn(`skipped, no conformance cases: ${archive} is absent`);

export interface ConformanceCase {
  readonly name: string;
  readonly model: Uint8Array;
  /** `TensorProto` messages (or other types) of the first data set, by number. */
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

/** All cases, by name. */
export function readConformanceCases(): ConformanceCase[] {
  const files = readTar(gunzipSync(readFileSync(archive)));
  const series = (name: string, kind: string): Uint8Array[] => {
    const found: Uint8Array[] = [];
    for (;;) {
      const path = `node/${name}/test_data_set_0/${kind}_${found.length}.pb`;
      const bytes = files.get(path);
      if (bytes === undefined) return found;
      found.push(bytes);
    }
  };
  return [...files].flatMap(([path, model]) => {
    const name = /^node\/(.+)\/model\.onnx$/.exec(path)?.[1];
    if (name === undefined) return [];
    return [{ name, model, inputs: series(name, 'input'), outputs: series(name, 'output') }];
  });
}

/** Files of a POSIX ustar archive. */
function readTar(bytes: Buffer): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (from: number, length: number) =>
    bytes.toString('utf8', from, from + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const prefix = text(at + 257, 5) === 'ustar' ? text(at + 345, 155) : '';
    const path = prefix === '' ? text(at, 100) : `${prefix}/${text(at, 100)}`;
    const size = Number.parseInt(text(at + 124, 12), 8);
    files.set(path, bytes.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
