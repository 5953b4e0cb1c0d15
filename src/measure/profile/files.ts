/**
 * Files that ONNX Runtime writes for us, in a folder of their own. Who makes the folder removes it:
 * not the process that profiles, which may crash.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Calls `work` with an empty folder, and removes it with all that is in it. */
export async function withProfileFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'archwright-profile-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export class ProfileFiles {
  #count = 0;

  constructor(readonly folder: string) {}

  /** A path without extension that no file has. */
  prefix(): string {
    return join(this.folder, `${process.pid}-${this.#count++}`);
  }

  /** What a file holds; it is removed. */
  take(path: string): Uint8Array {
    const bytes = readFileSync(path);
    rmSync(path);
    return bytes;
  }

  takeText(path: string): string {
    return new TextDecoder().decode(this.take(path));
  }
}
