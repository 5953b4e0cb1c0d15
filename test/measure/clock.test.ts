import { describe, expect, it } from 'vitest';
import { clockDeviations } from '../../src/measure/clock.js';

const windows = (...pairs: readonly (readonly [number, number])[]) =>
  pairs.map(([wallNs, counterTicks]) => ({ wallNs, counterTicks }));

describe('clockDeviations', () => {
  it('is small where the two clocks agree, whatever the length of the windows', () => {
    const deviations = clockDeviations(
      windows([20e6, 40e6], [40e6, 80.02e6], [20e6, 40.01e6], [100e6, 200e6]),
    );
    expect(Math.max(...deviations)).toBeLessThan(0.2);
  });

  it('is above 1 where the clock jumped, ahead or back', () => {
    const deviations = clockDeviations(
      windows([20e6, 40e6], [20e6, 40e6], [25e6, 40e6], [20e6, 40e6], [15e6, 40e6]),
    );
    expect(deviations.map((deviation) => deviation > 1)).toEqual([false, false, true, false, true]);
  });

  it('lets a preemption between the two readings of a short window pass', () => {
    const [, , short] = clockDeviations(windows([20e6, 40e6], [20e6, 40e6], [1.1e6, 2e6]));
    expect(short).toBeLessThan(1);
  });

  it('says nothing where there is no counter', () => {
    expect(clockDeviations(windows([20e6, 0], [25e6, 0]))).toEqual([0, 0]);
    expect(clockDeviations([])).toEqual([]);
  });
});
