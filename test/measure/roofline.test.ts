import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  floorMs,
  mergeRooflines,
  type Peak,
  type Roofline,
  readCacheBytes,
  ridgePoint,
} from '../../src/measure/roofline.js';

const peak = (perSecond: number): Peak => ({ perSecond, spread: 0.01, samples: 30 });
const roofline: Roofline = {
  source: 'native',
  float32: peak(100e9),
  bandwidth: peak(10e9),
  cacheBytes: 32e6,
  measuredAt: '2026-01-01T00:00:00.000Z',
};

describe('floorMs', () => {
  it('is the believed share of the time of the arithmetic at the peak rate', () => {
    // 2 · 50e6 operations at 100e9 per second: 1 ms.
    const work = { macs: 50e6, bytes: 0 };
    expect(floorMs(work, roofline)).toBeCloseTo(0.75, 12);
    expect(floorMs(work, { ...roofline, source: 'onnxruntime' })).toBeCloseTo(0.5, 12);
  });

  it('counts bytes that no cache holds', () => {
    expect(floorMs({ macs: 0, bytes: 32e6 }, roofline)).toBe(0);
    expect(floorMs({ macs: 0, bytes: 132e6 }, roofline)).toBeCloseTo(5, 12);
    const unknown = { ...roofline, cacheBytes: Number.POSITIVE_INFINITY };
    expect(floorMs({ macs: 0, bytes: 132e6 }, unknown)).toBe(0);
  });

  it('allows float32 products to run as tf32 where the device has it', () => {
    const gpu: Roofline = { ...roofline, source: 'cuda', tf32: peak(800e9) };
    expect(floorMs({ macs: 50e6, bytes: 0 }, gpu)).toBeCloseTo(0.75 / 8, 12);
  });
});

describe('a roofline', () => {
  it('has its ridge where arithmetic and memory take the same time', () => {
    expect(ridgePoint(roofline)).toBe(10);
    expect(ridgePoint(roofline, 'int8')).toBeNaN();
  });

  it('takes the higher of each peak when two looks are merged', () => {
    const later: Roofline = {
      ...roofline,
      float32: peak(90e9),
      int8: peak(400e9),
      bandwidth: peak(12e9),
      measuredAt: '2026-01-02T00:00:00.000Z',
    };
    expect(mergeRooflines(roofline, later)).toEqual({ ...later, float32: peak(100e9) });
  });
});

describe('readCacheBytes', () => {
  const root = mkdtempSync(join(tmpdir(), 'archwright-cache-'));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function writeCache(path: string, facts: Record<string, string>): void {
    mkdirSync(join(root, path), { recursive: true });
    for (const [name, value] of Object.entries(facts)) {
      writeFileSync(join(root, path, name), `${value}\n`);
    }
  }

  it('adds up all data caches, shared ones once', () => {
    for (const cpu of ['0', '1']) {
      writeCache(`cpu${cpu}/cache/index0`, {
        level: '1',
        type: 'Data',
        size: '32K',
        shared_cpu_list: cpu,
      });
      writeCache(`cpu${cpu}/cache/index1`, {
        level: '1',
        type: 'Instruction',
        size: '32K',
        shared_cpu_list: cpu,
      });
      writeCache(`cpu${cpu}/cache/index3`, {
        level: '3',
        type: 'Unified',
        size: '32M',
        shared_cpu_list: '0-1',
      });
    }
    expect(readCacheBytes(root)).toBe(2 * 32 * 2 ** 10 + 32 * 2 ** 20);
  });

  it('is infinite where the system does not tell', () => {
    expect(readCacheBytes(join(root, 'absent'))).toBe(Number.POSITIVE_INFINITY);
  });
});
