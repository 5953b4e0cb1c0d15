import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Dataset, Split } from '../../src/data/data.js';
import { countLabels } from '../../src/data/split.js';
import { UsageError } from '../../src/errors.js';

/** An empty folder that goes when the test ends. */
export function createFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'archwright-data-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  return dir;
}

/** Fails unless `load` rejects with a `UsageError` of one line that matches every pattern. */
export async function expectUsageError(
  load: Promise<unknown>,
  ...patterns: readonly (RegExp | string)[]
): Promise<void> {
  const error: unknown = await load.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UsageError);
  const { message } = error as UsageError;
  expect(message).not.toContain('\n');
  expect(message).toMatch(/expected .* received /);
  for (const pattern of patterns) expect(message).toMatch(pattern);
}

export function expectBalanced(split: Split, classes: number): void {
  const counts = countLabels(split.labels, classes);
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
}

/** The images of a split as strings, to look for one in another. */
export function imageKeys(split: Split): string[] {
  const bytes = split.images.length / split.count;
  return Array.from({ length: split.count }, (_, i) =>
    Buffer.from(split.images.subarray(i * bytes, (i + 1) * bytes)).toString('latin1'),
  );
}

export function expectDisjoint({ train, search, hidden }: Dataset): void {
  const keys = [train, search, hidden].flatMap(imageKeys);
  expect(new Set(keys).size).toBe(keys.length);
}

/** Byte comparison; `toEqual` takes seconds on a megabyte. */
export function isSameSplit(a: Split, b: Split): boolean {
  return (
    a.count === b.count &&
    Buffer.compare(a.images, b.images) === 0 &&
    Buffer.compare(a.labels, b.labels) === 0
  );
}
