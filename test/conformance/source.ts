/** Conformance cases of the layout of the ONNX project, from an archive or from a folder. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UsageError } from '../../src/errors.js';

export interface CaseSource {
  /** Name of the case's folder. */
  readonly name: string;
  readonly model: Uint8Array;
  /** `TensorProto` messages (or other types) of the first data set, by number. */
  readonly inputs: readonly Uint8Array[];
  readonly outputs: readonly Uint8Array[];
}

/**
 * All cases under `path`, by name: any folder with a `model.onnx` and a `test_data_set_0` in it, at
 * any depth. `path` is a folder or a `.tar` or `.tar.gz` file. Throws `UsageError` where there is none.
 */
export function readCases(path: string): CaseSource[] {
  const files = readFiles(path);
  const series = (folder: string, kind: string): Uint8Array[] => {
    const found: Uint8Array[] = [];
    for (;;) {
      const bytes = files.get(`${folder}test_data_set_0/${kind}_${found.length}.pb`);
      if (bytes === undefined) return found;
      found.push(bytes);
    }
  };
  const cases = [...files].flatMap(([file, model]) => {
    const [, folder, name] = /^((?:.*\/)?([^/]+)\/)model\.onnx$/.exec(file) ?? [];
    if (folder === undefined || name === undefined) return [];
    return [{ name, model, inputs: series(folder, 'input'), outputs: series(folder, 'output') }];
  });
  if (cases.length === 0) {
    throw new UsageError(
      `${path}: expected folders <case>/model.onnx with <case>/test_data_set_0, received none`,
    );
  }
  return cases.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function readFiles(path: string): Map<string, Uint8Array> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) {
    throw new UsageError(`${path}: expected a folder, .tar or .tar.gz of cases, received nothing`);
  }
  if (!stat.isDirectory()) {
    const bytes = readFileSync(path);
    return readTar(bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes);
  }
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  return new Map(
    names
      .map((name) => name.replaceAll('\\', '/'))
      .filter((name) => /\.(?:onnx|pb)$/.test(name))
      .map((name) => [name, readFileSync(join(path, name))]),
  );
}

/** Files of a POSIX ustar archive; long names in GNU's form. */
function readTar(bytes: Buffer): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const text = (from: number, length: number) =>
    bytes.toString('utf8', from, from + length).replace(/\0.*$/s, '');
  let longName = '';
  for (let at = 0; at + 512 <= bytes.length && bytes[at] !== 0; ) {
    const prefix = text(at + 257, 5) === 'ustar' ? text(at + 345, 155) : '';
    const path = longName || (prefix === '' ? text(at, 100) : `${prefix}/${text(at, 100)}`);
    const size = Number.parseInt(text(at + 124, 12), 8);
    const kind = text(at + 156, 1);
    const content = bytes.subarray(at + 512, at + 512 + size);
    if (kind === 'L') longName = content.toString('utf8').replace(/\0.*$/s, '');
    else {
      longName = '';
      if (kind === '0' || kind === '') files.set(path.replace(/^\.\//, ''), content);
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}
