/** The checks on the ONNX project's own cases, where they are at hand. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkCase, formatSummary, summarize } from './report.js';
import { readCases } from './source.js';

const archive = fileURLToPath(
  new URL('../../../shared/data/onnx-node-tests.tar.gz', import.meta.url),
);
const isThere = existsSync(archive);
if (!isThere) console.warn(`skipped, no conformance cases: ${archive} is absent`);

describe.skipIf(!isThere)('conformance cases', () => {
  it('agree in types, reference and gradients', { timeout: 300_000 }, () => {
    const summary = summarize(readCases(archive).map(checkCase));
    console.info(formatSummary(summary));
    const { shape, reference, gradient } = summary.checks;
    expect([...shape.failed, ...reference.failed, ...gradient.failed]).toEqual([]);
    expect(shape.passed).toBeGreaterThan(740);
    expect(reference.passed).toBeGreaterThan(740);
    expect(gradient.passed).toBeGreaterThan(440);
  });
});

describe('cases that are wrong', () => {
  it('a folder without cases is refused in one line', () => {
    expect(() => readCases(fileURLToPath(new URL('.', import.meta.url)))).toThrow(
      /expected folders <case>\/model.onnx .*, received none/,
    );
    expect(() => readCases('/nowhere')).toThrow(/expected a folder, \.tar or \.tar\.gz of cases/);
  });
});
