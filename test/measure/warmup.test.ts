import { describe, expect, it } from 'vitest';
import { isSteady, warmUp } from '../../src/measure/warmup.js';

const options = { windows: 6, tolerance: 0.02, maxSeconds: 60 };

describe('isSteady', () => {
  it('needs enough windows', () => {
    expect(isSteady([10, 10, 10, 10, 10], options)).toBe(false);
    expect(isSteady([10, 10, 10, 10, 10, 10], options)).toBe(true);
  });

  it('looks at the newest only', () => {
    expect(isSteady([90, 40, 10.1, 10, 10.2, 10, 10.1, 10], options)).toBe(true);
  });

  it('takes scatter above the fastest windows as noise', () => {
    expect(isSteady([10, 13, 10.1, 16, 10.1, 11], options)).toBe(true);
  });

  it('refuses a trend in either direction', () => {
    expect(isSteady([10.8, 10.7, 10.6, 10.3, 10.2, 10.1], options)).toBe(false);
    expect(isSteady([10.1, 10.2, 10.3, 10.6, 10.7, 10.8], options)).toBe(false);
  });
});

describe('warmUp', () => {
  const replay = (medians: readonly number[]) => {
    let next = 0;
    return async () => ({ median: medians[next++] as number, seconds: 0.1 });
  };

  it('ends when steady', async () => {
    const medians = [30, 20, 12, 10, 10, 10, 10, 10, 10, 99];
    const result = await warmUp(replay(medians), options);
    // Windows 3 to 8 have 10 in both halves.
    expect(result).toEqual({ steady: true, medians: medians.slice(0, 7) });
  });

  it('ends with the budget', async () => {
    const result = await warmUp(replay(Array.from({ length: 99 }, (_, i) => 100 * 0.9 ** i)), {
      ...options,
      maxSeconds: 0.95,
    });
    expect(result.steady).toBe(false);
    expect(result.medians).toHaveLength(10);
  });
});
