import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDevice } from '../../src/device/ort.js';
import { isPossible, measureRoofline } from '../../src/measure/peaks.js';
import { probeArithmetic, probeBandwidth } from '../../src/measure/roofline-probe.js';
import { measureDeviceRoofline } from '../../src/measure/roofline-task.js';
import type { SessionOptions } from '../../src/runtime/runtime.js';

const options: SessionOptions = { provider: 'cpu', threads: 1, optimization: 'all' };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'archwright-roofline-'));
  process.env.XDG_CACHE_HOME = folder;
});
afterAll(() => {
  delete process.env.XDG_CACHE_HOME;
  rmSync(folder, { recursive: true, force: true });
});

describe('measureRoofline on the CPU', () => {
  it('measures, keeps, and measures anew on demand', async () => {
    const roofline = await measureRoofline(options);
    expect(roofline.source).toBe('native');
    for (const peak of [roofline.float32, roofline.float64, roofline.bandwidth]) {
      expect(peak?.perSecond).toBeGreaterThan(1e8);
      expect(peak?.samples).toBe(30);
    }
    expect(roofline.cacheBytes).toBeGreaterThan(0);
    expect(await measureRoofline(options)).toEqual(roofline);
    const fresh = await measureRoofline(options, { fresh: true });
    expect(fresh.measuredAt > roofline.measuredAt).toBe(true);
    expect(await measureRoofline(options)).toEqual(fresh);
  });

  it('does the same in the runner of a device', async () => {
    const device = createDevice({ threads: 1 });
    try {
      expect(await measureDeviceRoofline(device)).toEqual(await measureRoofline(options));
    } finally {
      await device.close();
    }
  });
});

describe('isPossible', () => {
  it('believes what a machine can do', async () => {
    expect(await isPossible(1e6, { macs: 1e6, bytes: 1e6 }, options)).toBe(true);
    expect(await isPossible(1e-3, { macs: 0, bytes: 0 }, options)).toBe(true);
  });

  it('denies what no machine can do, having looked again', async () => {
    const before = await measureRoofline(options);
    expect(await isPossible(1e-3, { macs: 1e12, bytes: 0 }, options)).toBe(false);
    const after = await measureRoofline(options);
    expect(after.measuredAt > before.measuredAt).toBe(true);
    expect(after.float32.perSecond).toBeGreaterThanOrEqual(before.float32.perSecond);
  });
});

describe("peaks as ONNX Runtime's kernels reach them", () => {
  it('grow to runs that are long enough, in float32 and float16', async () => {
    const float32 = await probeArithmetic(options);
    expect(float32.perSecond).toBeGreaterThan(1e8);
    expect(float32.samples).toBeGreaterThanOrEqual(3);
    expect((await probeArithmetic(options, 'float16')).perSecond).toBeGreaterThan(1e6);
    expect((await probeBandwidth(options)).perSecond).toBeGreaterThan(1e8);
  });
});
