import { describe, expect, it } from 'vitest';
import { correctSamples, judgeWindows, type SampledWindow } from '../../src/measure/noise.js';

const quiet = {
  wallNs: 20e6,
  involuntarySwitches: 0,
  stealNs: 0,
  otherCpuNs: 0,
  counterTicks: 40e6,
  coreMhz: 3000,
};
const none = { slowReference: 0, stolen: 0, preempted: 0, neighbours: 0, throttled: 0, clock: 0 };
const machine = { logicalCores: 2, threads: 1 };

function createWindow(
  change: Partial<SampledWindow['conditions']> = {},
  referenceNs: SampledWindow['referenceNs'] = [100, 100],
  samples: readonly number[] = [1000],
): SampledWindow {
  return {
    samplesNs: Float64Array.from(samples),
    referenceNs,
    conditions: { ...quiet, ...change },
  };
}

const repeat = (count: number, create: (i: number) => SampledWindow) =>
  Array.from({ length: count }, (_, i) => create(i));

describe('judgeWindows', () => {
  it('keeps quiet windows', () => {
    const windows = repeat(10, () => createWindow());
    expect(judgeWindows(windows, machine)).toEqual({
      kept: windows,
      discarded: 0,
      discardedBy: none,
      noisy: false,
      clockFaults: 0,
      throttled: 0,
    });
  });

  it.each([
    ['stolen time', 'stolen', createWindow({ stealNs: 10e6 })],
    ['preemption', 'preempted', createWindow({ involuntarySwitches: 5 })],
    ['a slow reference before', 'slowReference', createWindow({}, [112, 100])],
    ['a slow reference after', 'slowReference', createWindow({}, [100, 112])],
    ['a throttled core', 'throttled', createWindow({ coreMhz: 2600 })],
    ['a clock that jumped ahead', 'clock', createWindow({ counterTicks: 39e6 })],
    ['a clock that stood still', 'clock', createWindow({ counterTicks: 41e6 })],
    ['the gravest of two reasons', 'stolen', createWindow({ stealNs: 10e6, coreMhz: 2600 })],
  ])('discards a window with %s', (_, reason, bad) => {
    const windows = repeat(10, (i) => (i === 4 ? bad : createWindow()));
    const { kept, discarded, discardedBy, noisy } = judgeWindows(windows, machine);
    expect(kept).not.toContain(bad);
    expect(discardedBy).toEqual({ ...none, [reason]: 1 });
    expect({ discarded, noisy }).toEqual({ discarded: 1, noisy: false });
  });

  it('bears what no counter and no core clock say', () => {
    const windows = repeat(10, () => createWindow({ counterTicks: 0, coreMhz: 0 }));
    expect(judgeWindows(windows, machine).discarded).toBe(0);
  });

  it('keeps no window with a jumped clock, however many there are', () => {
    const windows = repeat(10, (i) => createWindow({ counterTicks: i % 3 === 0 ? 50e6 : 40e6 }));
    const noisyToo = windows.map((window, i) =>
      i < 8 ? createWindow({ ...window.conditions, stealNs: 10e6 }) : window,
    );
    const { kept, noisy, clockFaults } = judgeWindows(noisyToo, machine);
    expect(clockFaults).toBe(4);
    expect(noisy).toBe(true);
    expect(kept.map(({ conditions }) => conditions.counterTicks)).toEqual([40e6, 40e6, 40e6]);
  });

  it('tells a disturbance of half the time from the usual speed', () => {
    const windows = repeat(10, (i) => createWindow({}, i < 5 ? [130, 130] : [100, 100]));
    const { kept, discardedBy } = judgeWindows(windows, machine);
    expect(discardedBy.slowReference).toBe(5);
    expect(kept).toEqual(windows.slice(5));
  });

  it('never judges a window by its own samples', () => {
    const windows = repeat(10, (i) => createWindow({}, [100, 100], [i === 4 ? 9000 : 1000]));
    expect(judgeWindows(windows, machine).discarded).toBe(0);
  });

  it('minds other processes only where they take cores that are needed', () => {
    const windows = repeat(40, (i) => createWindow({ otherCpuNs: i < 10 ? 20e6 : 0 }));
    const busy = (logicalCores: number, threads: number) =>
      judgeWindows(windows, { logicalCores, threads }).discarded;
    expect(busy(2, 2)).toBeGreaterThanOrEqual(10);
    expect(busy(64, 2)).toBe(0);
  });

  it('lets a single tick of the system clock pass', () => {
    const windows = repeat(40, (i) => createWindow({ otherCpuNs: i % 10 === 0 ? 10e6 : 0 }));
    expect(judgeWindows(windows, { logicalCores: 2, threads: 2 }).discarded).toBe(0);
  });

  it('keeps the better half when noise is everywhere, in order', () => {
    const windows = repeat(7, (i) => createWindow({ involuntarySwitches: 10 + ((i * 3) % 7) }));
    const { kept, discarded, noisy } = judgeWindows(windows, machine);
    expect(noisy).toBe(true);
    expect(discarded).toBe(3);
    // Switches 10, 13, 16, 12, 15, 11, 14: the four smallest.
    expect(kept).toEqual([windows[0], windows[1], windows[3], windows[5]]);
  });

  it('works without a reference', () => {
    const windows = repeat(3, () => ({ ...createWindow(), referenceNs: undefined }));
    expect(judgeWindows(windows, machine).kept).toHaveLength(3);
  });
});

describe('correctSamples', () => {
  it('scales by the reference around each window', () => {
    // Long-run median of 100, 100, 100, 100, 100, 140: 100. Local mean of the last window: 120.
    const windows = [
      createWindow({}, [100, 100], [1000, 1010]),
      createWindow({}, [100, 100], [1000]),
      createWindow({}, [100, 140], [1200]),
    ];
    expect(correctSamples(windows).map((samples) => [...samples])).toEqual([
      [1000, 1010],
      [1000],
      [1000],
    ]);
  });

  it('leaves samples alone without a reference', () => {
    const window = { ...createWindow({}, undefined, [7]), referenceNs: undefined };
    expect(correctSamples([window])).toEqual([Float64Array.of(7)]);
  });
});
