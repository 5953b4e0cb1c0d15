import { describe, expect, it } from 'vitest';
import { checkAssertions, formatChecked, parseAssertion } from '../../src/cli/assertion.js';
import { UsageError } from '../../src/errors.js';

const result = {
  verdict: 'SAME',
  ratio: 1.01,
  ci95: [0.99, 1.02],
  latencyMs: { p50: 2.5, ci95: [2.4, 2.6] },
  memory: { processPeakBytes: 64 * 2 ** 20 },
  coldStart: { seconds: 1.5 },
  steady: true,
  missing: Number.NaN,
  unknown: null,
};

const check = (...texts: string[]) =>
  checkAssertions(texts.map(parseAssertion), [{ name: 'net.onnx', result }]);

describe('assertions', () => {
  it.each([
    ['latencyMs.p50 < 2', false],
    ['latencyMs.p50 < 3', true],
    ['latencyMs.p50<2501us', true],
    ['latencyMs.p50 <= 2.5 ms', true],
    ['latencyMs.p50 > 0.0025 s', false],
    ['latencyMs.p50 == 2.5ms', true],
    ['latencyMs.ci95[1] < 2.7', true],
    ['latencyMs.ci95.0 < 2.3', false],
    ['memory.processPeakBytes < 64MiB', false],
    ['memory.processPeakBytes <= 64MiB', true],
    ['memory.processPeakBytes < 67.2MB', true],
    ['memory.processPeakBytes < 1 GB', true],
    ['coldStart.seconds < 1500ms', false],
    ['coldStart.seconds <= 1500ms', true],
    ['ratio < 1.05', true],
    ['ratio < 101.5%', true],
    ['ratio >= 102 %', false],
    ['verdict == SAME', true],
    ['verdict == "SAME"', true],
    ['verdict == FASTER', false],
    ['verdict != SLOWER', true],
    ['steady == true', true],
    ['steady != true', false],
    ['missing < 1', false],
    ['missing > 1', false],
    ['unknown < 1', false],
  ])('%s is %s', (text, holds) => {
    expect(check(text)[0]?.holds).toBe(holds);
  });

  it('are told with what was expected, what is, and its interval', () => {
    const told = check('latencyMs.p50 < 2', 'ratio < 1.05', 'verdict == FASTER').map(formatChecked);
    expect(told).toEqual([
      '✗ assertion failed: net.onnx: expected latencyMs.p50 < 2, actual 2.5 (95 % interval 2.4 … 2.6)',
      '✓ assertion holds: net.onnx: expected ratio < 1.05, actual 1.01 (95 % interval 0.99 … 1.02)',
      '✗ assertion failed: net.onnx: expected verdict == FASTER, actual SAME',
    ]);
  });

  it('are checked on every result', () => {
    const subjects = [1, 3].map((p50, i) => ({ name: `${i}`, result: { latencyMs: { p50 } } }));
    const checked = checkAssertions([parseAssertion('latencyMs.p50 < 2')], subjects);
    expect(checked.map(({ subject, holds }) => [subject, holds])).toEqual([
      ['0', true],
      ['1', false],
    ]);
  });

  it.each([
    ['latencyMs.p50', /expected path, operator/],
    ['latencyMs.p50 = 2', /expected path, operator/],
    ['latencyMs.p50 <', /expected path, operator/],
    ['< 2', /expected path, operator/],
    ['latencyMs.p50 < fast', /expected a number after </],
    ['latencyMs.p50 < 2 sec', /expected one of the units us, .*received sec/],
    ['memory.processPeakBytes < 64mib', /did you mean MiB\?/],
  ])('%s cannot be read', (text, message) => {
    expect(() => parseAssertion(text)).toThrow(UsageError);
    expect(() => parseAssertion(text)).toThrow(message);
  });

  it.each([
    ['latencyMs.p5 < 2', /no value latencyMs\.p5; did you mean latencyMs\.p50\?/],
    ['latencyMs < 2', /it has the parts latencyMs\.p50, latencyMs\.ci95\.0/],
    ['entirely.different < 2', /known are verdict, ratio/],
    ['latencyMs.p50 < 2MiB', /latencyMs\.p50 takes a number in ms or alike/],
    ['memory.processPeakBytes < 2 ms', /takes a number in B or alike/],
    ['ratio < 1 ms', /takes a plain number or %/],
    ['verdict < 1', /verdict is no number but SAME/],
  ])('%s does not fit the result', (text, message) => {
    expect(() => check(text)).toThrow(UsageError);
    expect(() => check(text)).toThrow(message);
  });
});
