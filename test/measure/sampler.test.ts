import { describe, expect, it } from 'vitest';
import { planReference, planWindows, sampleWindows } from '../../src/measure/sampler.js';
import type { TimingWindow } from '../../src/runtime/binding-types.js';

describe('planWindows', () => {
  it('groups runs that are short beside the clock', () => {
    expect(planWindows(4e3)).toEqual({ group: 13, dropped: 20, kept: 385 });
    expect(planWindows(25e3).group).toBe(1);
  });

  it('fills a window', () => {
    expect(planWindows(100e3)).toEqual({ group: 1, dropped: 10, kept: 200 });
    expect(planReference(100e3)).toEqual({ group: 1, dropped: 10, kept: 40 });
  });

  it('gives slow models several runs, very slow ones a single one', () => {
    expect(planWindows(10e6)).toEqual({ group: 1, dropped: 1, kept: 5 });
    expect(planWindows(40e6)).toEqual({ group: 1, dropped: 0, kept: 3 });
    expect(planWindows(900e6)).toEqual({ group: 1, dropped: 0, kept: 1 });
  });

  it('takes several paced or cold runs a window, none grouped', () => {
    expect(planWindows(4e3, 20e6, { intervalNs: 10e6 })).toEqual({ group: 1, dropped: 1, kept: 5 });
    expect(planWindows(4e3, 20e6, { intervalNs: 1e6 })).toEqual({ group: 1, dropped: 1, kept: 20 });
    expect(planWindows(4e3, 20e6, { flushBytes: 1e7 })).toEqual({ group: 1, dropped: 0, kept: 20 });
    expect(planWindows(50e6, 20e6, { flushBytes: 1e8 }).kept).toBe(5);
  });
});

describe('sampleWindows', () => {
  const plan = { group: 2, dropped: 2, kept: 3 };
  const record = (calls: string[], name: string, base: number) => ({
    plan,
    run: async (samples: number, group: number): Promise<TimingWindow> => {
      calls.push(`${name}${samples}x${group}`);
      const start = base * calls.length;
      return {
        samplesNs: Float64Array.from({ length: samples }, (_, i) => start + i),
        enqueueNs: new Float64Array(samples),
        wallNs: 1,
        involuntarySwitches: 0,
        stealNs: 0,
        otherCpuNs: 0,
        counterTicks: 2,
        coreMhz: 3000,
      };
    },
  });

  it('alternates, drops the re-warm-up, and hands on the reference around each window', async () => {
    const calls: string[] = [];
    const windows = await sampleWindows(
      record(calls, 'a', 100),
      record(calls, 'b', 10),
      (seen) => seen.length === 2,
    );
    expect(calls).toEqual(['b5x2', 'a5x2', 'b5x2', 'a5x2', 'b5x2']);
    expect(windows.map(({ samplesNs }) => [...samplesNs])).toEqual([
      [202, 203, 204],
      [402, 403, 404],
    ]);
    expect(windows.map(({ referenceNs }) => referenceNs)).toEqual([
      [13, 33],
      [33, 53],
    ]);
  });

  it('samples the candidate alone without a reference', async () => {
    const calls: string[] = [];
    const windows = await sampleWindows(record(calls, 'a', 1), undefined, () => true);
    expect(calls).toEqual(['a5x2']);
    expect(windows[0]?.referenceNs).toBeUndefined();
  });
});
