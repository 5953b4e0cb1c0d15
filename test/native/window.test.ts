import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadHost } from '../../src/runtime/binding.js';
import type { PeakKind, Placement } from '../../src/runtime/binding-types.js';
import { Runner } from '../../src/runtime/runner.js';
import { Session, Timer } from '../../src/runtime/session.js';
import { withVulkan } from '../device/vulkan.js';
import { affineModel, cpu, float32, heavyModel } from './model.js';

const square = (size: number) =>
  float32(
    [size, size],
    Float32Array.from({ length: size * size }, (_, i) => ((i % 7) - 3) / size),
  );
const median = (values: ArrayLike<number>): number =>
  Array.from(values).sort((a, b) => a - b)[values.length >> 1] as number;
const best = (values: ArrayLike<number>): number => Math.max(...Array.from(values));

describe('a window', () => {
  it('keeps the ratio of the counter to the clock, and tells how fast its core runs', async () => {
    const session = await Session.create(heavyModel(64, 4), cpu);
    const timer = await session.createTimer([{ x: square(64) }]);
    const plan = { samples: 200, group: 1 };
    const windows = [await timer.run(plan), await timer.run(plan), await timer.run(plan)];
    const ratios = windows.map(({ counterTicks, wallNs }) => counterTicks / wallNs);
    if (process.arch === 'x64' || process.arch === 'arm64') {
      expect(Math.min(...ratios)).toBeGreaterThan(0);
      expect(Math.max(...ratios) / Math.min(...ratios)).toBeLessThan(1.01);
    }
    for (const { coreMhz } of windows) {
      expect(coreMhz).toBeGreaterThan(200);
      expect(coreMhz).toBeLessThan(10_000);
    }
  });

  it('is slower where the caches are emptied before each sample', async () => {
    const session = await Session.create(affineModel(), cpu);
    const timer = await session.createTimer([{ x: float32([1, 2], [1, 2]) }]);
    const flushBytes = 128 * 2 ** 20;
    const warm = median((await timer.run({ samples: 200, group: 1 })).samplesNs);
    const cold = median((await timer.run({ samples: 30, group: 1, flushBytes })).samplesNs);
    expect(cold).toBeGreaterThan(1.5 * warm);
  });

  it('begins its samples at the interval that was asked for', async () => {
    const session = await Session.create(affineModel(), cpu);
    const timer = await session.createTimer([{ x: float32([1, 2], [1, 2]) }]);
    const { samplesNs, wallNs } = await timer.run({ samples: 6, group: 1, intervalNs: 10e6 });
    expect(samplesNs).toHaveLength(6);
    expect(wallNs).toBeGreaterThan(5 * 9e6);
    expect(median(samplesNs)).toBeLessThan(5e6);
  });

  it('can be taken by several timers side by side', async () => {
    const session = await Session.create(heavyModel(64, 4), cpu);
    const feeds = [{ x: square(64) }];
    const timers = [await session.createTimer(feeds), await session.createTimer(feeds)];
    const { samplesNs, wallNs } = await Timer.runTogether(timers, 100e6);
    expect(samplesNs).toHaveLength(2);
    for (const runs of samplesNs) {
      expect(runs.length).toBeGreaterThan(1);
      expect(runs.reduce((sum, run) => sum + run, 0)).toBeLessThanOrEqual(wallNs);
    }
    expect(wallNs).toBeGreaterThanOrEqual(100e6);
    await expect(Timer.runTogether([], 1)).rejects.toThrow('expected at least one');
  });
});

describe('placement', () => {
  const placements: Placement[] = (['host', 'device'] as const).flatMap((inputs) =>
    (['host', 'device'] as const).map((outputs) => ({ inputs, outputs })),
  );

  it.each(placements)('gives the same outputs on the CPU: %o', async (placement) => {
    const session = await Session.create(affineModel(), cpu);
    const timer = await session.createTimer([{ x: float32([1, 2], [1, 2]) }], placement);
    await timer.run({ samples: 2, group: 2 });
    expect(Array.from(timer.outputs().outputs.y?.data as Float32Array)).toEqual([9.5, 11.5, 15.25]);
    expect(session.allocatorStats('device')).toEqual(session.allocatorStats('host'));
  });

  const runs = withVulkan();
  it.skipIf(!runs).each(placements)('gives the same outputs on WebGPU: %o', async (placement) => {
    const runner = new Runner();
    try {
      const task = {
        module: new URL('./placement-task.mjs', import.meta.url).href,
        name: 'timePlaced',
        args: { model: affineModel(), placement },
      };
      const { outputs, samplesNs, enqueueNs } = await runner.call<{
        outputs: number[][];
        samplesNs: Float64Array;
        enqueueNs: Float64Array;
      }>(task);
      expect(outputs).toEqual([
        [9.5, 11.5, 15.25],
        [19.5, 25.5, 33.25],
      ]);
      for (const [i, sample] of samplesNs.entries()) {
        expect(enqueueNs[i]).toBeLessThanOrEqual(sample);
      }
    } finally {
      await runner.close();
    }
  });
});

describe('a profile', () => {
  it('is written with an event for every node, beside the graph as it runs', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'archwright-profile-'));
    try {
      const optimizedModelPath = join(folder, 'optimized.onnx');
      const session = await Session.create(heavyModel(8, 2), {
        ...cpu,
        profilePrefix: join(folder, 'events'),
        optimizedModelPath,
      });
      await session.run({ x: square(8) });
      const path = session.endProfiling();
      const events = JSON.parse(readFileSync(path, 'utf8')) as { cat: string; args: object }[];
      const nodes = events.filter(({ cat }) => cat === 'Node');
      expect(nodes.filter(({ args }) => JSON.stringify(args).includes('MatMul'))).toHaveLength(2);
      expect(existsSync(optimizedModelPath)).toBe(true);
      session.release();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('cannot be ended where none was begun', async () => {
    const session = await Session.create(affineModel(), cpu);
    expect(() => session.endProfiling()).toThrow('without a profile');
  });
});

describe('peaks', () => {
  it.each<PeakKind>(['float32', 'float64', 'bandwidth'])('has a rate of %s', async (kind) => {
    const rates = await loadHost().measurePeak(kind, 1, 8, 96 * 2 ** 20);
    expect(rates).toHaveLength(8);
    for (const rate of rates) expect(rate).toBeGreaterThan(1e8);
  });

  it('are not exceeded by ONNX Runtime', async () => {
    const size = 256;
    const session = await Session.create(heavyModel(size, 1), cpu);
    const timer = await session.createTimer([{ x: square(size) }]);
    await timer.run({ samples: 20, group: 1 });
    const peak = best(await loadHost().measurePeak('float32', 1, 30, 0));
    const { samplesNs } = await timer.run({ samples: 100, group: 1 });
    const rate = (2 * size ** 3) / (Math.min(...samplesNs) / 1e9);
    expect(rate).toBeLessThan(1.1 * peak);
  });
});
