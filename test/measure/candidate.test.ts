import { describe, expect, it } from 'vitest';
import { countSessions, rotateTimers } from '../../src/measure/candidate.js';
import type { TimingPlan } from '../../src/runtime/binding-types.js';

describe('countSessions', () => {
  const MiB = 2 ** 20;

  it('takes several where they are cheap', () => {
    expect(countSessions(10, 0.05, 20 * MiB, 5)).toBe(4);
  });

  it('takes fewer for what loads slowly, runs slowly or is large', () => {
    expect(countSessions(300, 0.05, 20 * MiB, 5)).toBe(3);
    expect(countSessions(2000, 0.05, 20 * MiB, 5)).toBe(1);
    expect(countSessions(10, 200, 20 * MiB, 5)).toBe(1);
    expect(countSessions(10, 0.05, 300 * MiB, 5)).toBe(2);
    expect(countSessions(10, 0.05, 3000 * MiB, 5)).toBe(1);
  });

  it('never takes none', () => {
    expect(countSessions(10, 0.05, 0, 0)).toBe(1);
  });
});

describe('rotateTimers', () => {
  it('gives each timer its turn, in the mode asked for', async () => {
    const calls: [string, TimingPlan][] = [];
    const createTimer = (name: string) => ({
      firstRunMs: 1,
      outputs: () => ({ inputSet: 0, outputs: {} }),
      release: () => {},
      run: async (plan: TimingPlan) => {
        calls.push([name, plan]);
        return {
          samplesNs: new Float64Array(plan.samples),
          enqueueNs: new Float64Array(plan.samples),
          wallNs: 1,
          involuntarySwitches: 0,
          stealNs: 0,
          otherCpuNs: 0,
          counterTicks: 0,
          coreMhz: 0,
        };
      },
    });
    const { run, plan } = rotateTimers([createTimer('a'), createTimer('b')], 1e6, {
      intervalNs: 5e6,
    });
    expect(plan.group).toBe(1);
    for (let i = 0; i < 3; i++) await run(2, 1);
    const expected = { samples: 2, group: 1, intervalNs: 5e6 };
    expect(calls).toEqual([
      ['a', expected],
      ['b', expected],
      ['a', expected],
    ]);
  });
});
