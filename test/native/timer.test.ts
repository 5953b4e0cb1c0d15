import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { loadBinding } from '../../src/runtime/binding.js';
import { Session } from '../../src/runtime/session.js';
import { affineModel, cpu, float32, heavyModel } from './model.js';

const sets = [
  { x: float32([1, 2], [1, 2]) },
  { x: float32([1, 2], [3, 4]) },
  { x: float32([1, 2], [5, 6]) },
];
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

const median = (values: ArrayLike<number>): number =>
  Array.from(values).sort((a, b) => a - b)[values.length >> 1] as number;

describe('a timer', () => {
  it('returns every sample and rotates the input sets over runs', async () => {
    const session = await Session.create(affineModel(), cpu);
    const timer = await session.createTimer(sets);
    expect(timer.firstRunMs).toBeGreaterThan(0);
    const window = await timer.run({ samples: 10, group: 4 }); // 40 runs: the last one used set 39 % 3 = 0
    expect(window.samplesNs).toHaveLength(10);
    const sum = window.samplesNs.reduce((total, sample) => total + sample * 4, 0);
    expect(sum).toBeLessThanOrEqual(window.wallNs);
    expect(sum).toBeGreaterThan(window.wallNs / 2);
    expect(window.enqueueNs).toEqual(window.samplesNs);
    expect(window.samplesNs.every((sample) => sample > 0)).toBe(true);
    for (const count of ['involuntarySwitches', 'stealNs', 'otherCpuNs'] as const) {
      expect(window[count]).toBeGreaterThanOrEqual(0);
    }
    const last = timer.outputs();
    expect(last.inputSet).toBe(0);
    expect(last.outputs).toEqual(await session.run(sets[0] as (typeof sets)[0]));
    await timer.run({ samples: 1, group: 1 });
    expect(timer.outputs().outputs).toEqual(await session.run(sets[1] as (typeof sets)[0]));
    expect(timer.outputs().inputSet).toBe(1);
    timer.release();
    await expect(timer.run({ samples: 1, group: 1 })).rejects.toThrow('after its release');
  });

  it('outlives the release of its session and copies its inputs', async () => {
    const session = await Session.create(affineModel(), cpu);
    const x = float32([1, 2], [1, 2]);
    const timer = await session.createTimer([{ x }]);
    session.release();
    x.data.fill(0 as never);
    await timer.run({ samples: 1, group: 1 });
    expect(timer.outputs().outputs.y?.data[0]).toBe(9.5);
  });

  it('refuses sets of different shapes, none at all, and bad counts', async () => {
    const session = await Session.create(affineModel(), cpu);
    const two = { x: float32([2, 2], [1, 2, 3, 4]) };
    await expect(session.createTimer([sets[0] as typeof two, two])).rejects.toThrow(
      'input "x" of a later set: expected dims [1, 2], received [2, 2]',
    );
    await expect(session.createTimer([])).rejects.toThrow('expected at least one');
    const timer = await session.createTimer(sets);
    await expect(timer.run({ samples: 0, group: 1 })).rejects.toThrow(
      'samples: expected a whole number from 1',
    );
    const window = timer.run({ samples: 2000, group: 1 });
    await expect(timer.run({ samples: 1, group: 1 })).rejects.toThrow(
      'while a window was under way',
    );
    await window;
  });

  it('is at least as quick as a plain loop over onnxruntime-node', async () => {
    const bytes = heavyModel(32, 4);
    const x = Float32Array.from({ length: 1024 }, (_, i) => (i % 7) / 40);
    const session = await Session.create(bytes, cpu);
    const timer = await session.createTimer([{ x: float32([32, 32], x) }]);
    const plain = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
    const feeds = { x: new Tensor('float32', x, [32, 32]) };
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < 7; round++) {
      ours.push(median((await timer.run({ samples: 300, group: 1 })).samplesNs));
      const samples: number[] = [];
      for (let i = 0; i < 300; i++) {
        const start = process.hrtime.bigint();
        await plain.run(feeds);
        samples.push(Number(process.hrtime.bigint() - start));
      }
      theirs.push(median(samples));
    }
    expect(median(ours)).toBeLessThan(median(theirs));
  });
});

describe('host facts', () => {
  it('are those of this machine', () => {
    const { hostFacts, memoryUse, resetPeakMemory } = loadBinding();
    const facts = hostFacts();
    expect(facts.cpuModel).not.toBe('');
    expect(facts.availableCores).toBeGreaterThanOrEqual(1);
    expect(facts.availableCores).toBeLessThanOrEqual(facts.logicalCores);
    expect(facts.totalMemoryBytes).toBeGreaterThan(2 ** 28);
    const before = memoryUse();
    expect(before.residentBytes).toBeGreaterThan(2 ** 24);
    let ballast: Uint8Array | undefined = new Uint8Array(200 * 2 ** 20).fill(1);
    const peak = memoryUse().peakResidentBytes;
    expect(peak).toBeGreaterThan(before.residentBytes + ballast.length * 0.9);
    ballast = undefined;
    collectGarbage();
    if (process.platform === 'linux') {
      expect(resetPeakMemory()).toBe(true);
      expect(memoryUse().peakResidentBytes).toBeLessThan(peak - 100 * 2 ** 20);
    }
  });
});
