import { describe, expect, it } from 'vitest';
import { defaultWarmup, isSteady, warmUp } from '../../src/measure/warmup.js';

describe('isSteady', () => {
  it('needs enough windows', () => {
    expect(isSteady([10, 10, 10, 10, 10], defaultWarmup)).toBe(false);
    expect(isSteady([10, 10, 10, 10, 10, 10], defaultWarmup)).toBe(true);
  });

  it('looks at the newest only', () => {
    expect(isSteady([90, 40, 10.1, 10, 10.2, 10, 10.1, 10], defaultWarmup)).toBe(true);
  });

  it('refuses spread', () => {
    expect(isSteady([10, 10.6, 10, 10.6, 10, 10.6], defaultWarmup)).toBe(false);
  });

  it('refuses a trend within the tolerance', () => {
    expect(isSteady([10.4, 10.35, 10.3, 10.1, 10.05, 10], defaultWarmup)).toBe(false);
  });
});

describe('warmUp', () => {
  const replay = (medians: readonly number[]) => {
    let next = 0;
    return async () => ({ median: medians[next++] as number, seconds: 0.1 });
  };

  it('ends when steady', async () => {
    const medians = [30, 20, 12, 10, 10, 10, 10, 10, 10, 99];
    const result = await warmUp(replay(medians), defaultWarmup);
    expect(result).toEqual({ steady: true, medians: medians.slice(0, 9) });
  });

  it('ends with the budget', async () => {
    const result = await warmUp(replay(Array.from({ length: 99 }, (_, i) => 100 - i)), {
      ...defaultWarmup,
      maxSeconds: 0.95,
    });
    expect(result.steady).toBe(false);
    expect(result.medians).toHaveLength(10);
  });
});
