import { describe, expect, it } from 'vitest';
import { floorMs } from '../../src/measure/roofline.js';

const roofline = { flopsPerSecond: 100e9, bytesPerSecond: 10e9, cacheBytes: 32e6 };

describe('floorMs', () => {
  it('is half the time of the arithmetic at the peak rate', () => {
    // 2 · 50e6 operations at 100e9 per second: 1 ms.
    expect(floorMs({ macs: 50e6, bytes: 0 }, roofline)).toBeCloseTo(0.5, 12);
  });

  it('counts bytes that no cache holds', () => {
    expect(floorMs({ macs: 0, bytes: 32e6 }, roofline)).toBe(0);
    expect(floorMs({ macs: 0, bytes: 132e6 }, roofline)).toBeCloseTo(5, 12);
    expect(
      floorMs({ macs: 0, bytes: 132e6 }, { ...roofline, cacheBytes: Number.POSITIVE_INFINITY }),
    ).toBe(0);
  });
});
