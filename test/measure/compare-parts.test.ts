/** The parts of a comparison that need no device. */
import { describe, expect, it } from 'vitest';
import {
  compareMeasurements,
  explainMismatch,
  type MeasuredAt,
} from '../../src/measure/compare-baseline.js';
import { compareOutputs, explainDifference } from '../../src/measure/compare-outputs.js';
import { judgeRounds, type Pair } from '../../src/measure/compare-round.js';

const tensor = (...values: number[]) =>
  ({ dtype: 'float32', dims: [values.length], data: Float32Array.from(values) }) as const;

describe('outputs', () => {
  it('differ by the largest difference, relative to the largest value', () => {
    const a = { y: tensor(1, 2, 8), z: tensor(100) };
    const b = { y: tensor(1, 3, 10), z: tensor(101) };
    expect(compareOutputs(a, b)).toEqual({
      comparable: true,
      maxAbsDifference: 2,
      maxRelDifference: 0.2,
      output: 'y',
    });
    expect(compareOutputs(a, a)).toMatchObject({ maxAbsDifference: 0, maxRelDifference: 0 });
  });

  it('are endlessly far apart where only one is finite, and equal where both are NaN', () => {
    const nan = { y: tensor(Number.NaN, 1) };
    expect(compareOutputs(nan, nan)).toMatchObject({ maxAbsDifference: 0 });
    expect(compareOutputs(nan, { y: tensor(1, 1) })).toMatchObject({
      comparable: true,
      maxAbsDifference: null,
      maxRelDifference: null,
    });
    expect(compareOutputs({ y: tensor(1) }, { y: tensor(0) })).toMatchObject({
      maxAbsDifference: 1,
      maxRelDifference: null,
    });
  });

  it('are not comparable where names, types or shapes differ, and say which', () => {
    const y = { y: tensor(1, 2) };
    expect(compareOutputs(y, { z: tensor(1, 2) })).toEqual({
      comparable: false,
      reason: 'outputs differ: y and z',
    });
    expect(explainDifference('output', y, { y: tensor(1) })).toBe(
      'output y differs: float32[2] and float32[1]',
    );
    const half = { dtype: 'float16', dims: [2], data: new Uint16Array(2) } as const;
    expect(explainDifference('input', y, { y: half })).toBe(
      'input y differs: float32[2] and float16[2]',
    );
  });
});

describe('rounds', () => {
  const conditions = {
    wallNs: 10e6,
    involuntarySwitches: 0,
    stealNs: 0,
    otherCpuNs: 0,
    counterTicks: 0,
    coreMhz: 0,
  };
  const window = (ns: number, stealNs = 0) => ({
    samplesNs: Float64Array.of(ns, ns, ns),
    referenceNs: undefined,
    conditions: { ...conditions, stealNs },
  });
  const pair = (first: 'a' | 'b', a: number, b: number, stealNs = 0): Pair => ({
    first,
    a: window(a),
    b: window(b, stealNs),
  });
  const loadMs = { a: 1, b: 1 };
  const surroundings = { logicalCores: 8, threads: 1 };

  it('leave out a pair of which one window was disturbed', () => {
    const rounds = [
      { loadMs, pairs: [pair('a', 2, 1), pair('b', 2, 1), pair('b', 9, 1, 5e6)] },
      { loadMs, pairs: [pair('a', 3, 1), pair('b', 3, 1), pair('a', 3, 1)] },
    ];
    const judged = judgeRounds(rounds, surroundings);
    expect(judged.logRatios.map(Math.exp)).toEqual([expect.closeTo(2), expect.closeTo(3)]);
    expect(judged).toMatchObject({ discarded: 1, noisy: false });
    expect(judged.pairs).toHaveLength(5);
  });

  it('keep all pairs where most windows were disturbed', () => {
    const disturbed = (first: 'a' | 'b') => ({
      first,
      a: window(2, 5e6),
      b: window(1, 5e6),
    });
    const judged = judgeRounds([{ loadMs, pairs: [disturbed('a'), disturbed('b')] }], surroundings);
    expect(judged).toMatchObject({ discarded: 0, noisy: true });
    expect(judged.logRatios.map(Math.exp)).toEqual([expect.closeTo(2)]);
  });
});

describe('a baseline', () => {
  const measured = (p50: number, halfWidth = 0.005): MeasuredAt['result'] =>
    ({
      device: 'cpu',
      provider: 'cpu',
      threads: 2,
      inputs: { x: { shape: [1, 3], type: 'float32' } },
      mode: { cache: 'warm', everyMs: null },
      latencyMs: { p50, ci95: [p50 * (1 - halfWidth), p50 * (1 + halfWidth)] },
      correctedMs: { p50 },
    }) as unknown as MeasuredAt['result'];

  it.each([
    [1, 0.005, 'SAME'],
    [1.02, 0.005, 'SAME'],
    [1.1, 0.005, 'SLOWER'],
    [0.9, 0.005, 'FASTER'],
    [1.03, 0.02, 'UNCLEAR'],
    [1.1, 0.2, 'UNCLEAR'],
  ])('%f times as slow, known to %f, is %s', (ratio, halfWidth, verdict) => {
    const result = compareMeasurements(measured(2 * ratio, halfWidth), measured(2));
    expect(result.verdict).toBe(verdict);
    expect(result.ratio).toBeCloseTo(ratio);
    expect(result.ci95[0]).toBeLessThan(ratio / 1.015);
    expect(result.ci95[1]).toBeGreaterThan(ratio * 1.015);
  });

  it('goes by the corrected median', () => {
    const drifted = { ...measured(3), correctedMs: { p50: 2 } };
    expect(compareMeasurements(drifted, measured(2)).ratio).toBe(1);
  });

  it('is of the same machine, device and inputs, or is refused by name', () => {
    const host = { cpuModel: 'X', logicalCores: 2, runtimeVersion: '1.30.0', frequencyMhz: 1 };
    const one = { host, result: measured(1) };
    expect(
      explainMismatch(one, { host: { ...host, frequencyMhz: 2 }, result: measured(5) }),
    ).toEqual([]);
    const other = {
      host: { ...host, cpuModel: 'Y' },
      result: { ...measured(1), threads: 1, inputs: {} },
    };
    expect(explainMismatch(one, other)).toEqual([
      'cpuModel (X and Y)',
      'threads (2 and 1)',
      expect.stringMatching(/^inputs \(x float32\[1, 3\] and /),
    ]);
  });
});
