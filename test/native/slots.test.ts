import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const table = new URL('../../../shared/onnxruntime-c-api.tsv', import.meta.url);
const header = readFileSync(new URL('../../native/ort_abi.h', import.meta.url), 'utf8');
if (!existsSync(table)) console.warn(`SKIPPED: no slot table to compare with in ${table}`);

describe.skipIf(!existsSync(table))('slots of ONNX Runtime functions', () => {
  it('are those of the published table', () => {
    const published = new Map(
      readFileSync(table, 'utf8')
        .split('\n')
        .filter((line) => /^\d/.test(line))
        .map((line) => line.split('\t').reverse() as [string, string]),
    );
    const ours = [...header.matchAll(/^ {2}X\((\d+), .*?(\w+), \(/gm)];
    expect(ours.length).toBeGreaterThan(40);
    for (const [, slot, name] of ours)
      expect([name, published.get(name as string)]).toEqual([name, slot]);
  });
});
