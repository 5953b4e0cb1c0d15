import { describe, expect, it } from 'vitest';
import { type CachingPass, isCachingByInput, planCaching } from '../../src/measure/caching.js';
import { Rng } from '../../src/util/random.js';

describe('planCaching', () => {
  it('takes a tenth of the time at most', () => {
    for (const runNs of [1e3, 1e5, 1e6, 1e7, 3e7]) {
      const plan = planCaching(runNs, 1e3, 5);
      if (plan === undefined) throw new Error(`no plan for ${runNs}`);
      const runs = plan.passes * (2 + 2 * (plan.inputs + 1) + 2);
      expect(runs * runNs).toBeLessThanOrEqual(0.5e9);
    }
  });

  it('does with fewer inputs for slow models and large inputs, and without where it must', () => {
    expect(planCaching(1e5, 1e3, 5)).toEqual({ passes: 3, inputs: 8 });
    expect(planCaching(1e7, 1e3, 5)).toEqual({ passes: 3, inputs: 5 });
    expect(planCaching(4e7, 1e3, 5)).toEqual({ passes: 1, inputs: 3 });
    expect(planCaching(1e8, 1e3, 5)).toBeUndefined();
    expect(planCaching(1e5, 2 ** 24, 5)).toEqual({ passes: 3, inputs: 4 });
    expect(planCaching(1e5, 2 ** 26, 5)).toBeUndefined();
  });
});

describe('isCachingByInput', () => {
  /** Passes of 8 inputs: noise with a heavy tail on top of these levels. */
  function createPasses(rng: Rng, freshNs: number, repeatedNs: number): CachingPass[] {
    const draw = (level: number) =>
      Float64Array.from(
        { length: 8 },
        () => level * (1 + 0.1 * Math.abs(rng.normal()) + (rng.uniform() < 0.1 ? 2 : 0)),
      );
    return [1, 2, 3].map(() => ({ freshNs: draw(freshNs), repeatedNs: draw(repeatedNs) }));
  }

  it('knows a model that remembers, from one that computes', () => {
    const rng = new Rng('caching');
    let found = 0;
    for (let trial = 0; trial < 300; trial++) {
      if (isCachingByInput(createPasses(rng, 1000, 400))) found++;
      expect(isCachingByInput(createPasses(rng, 1000, 1000))).toBe(false);
      expect(isCachingByInput(createPasses(rng, 1000, 2000))).toBe(false);
    }
    expect(found / 300).toBeGreaterThan(0.95);
  });

  it('wants a clearer difference of a single pass, and something to look at', () => {
    const pass = (fresh: number): CachingPass => ({
      freshNs: Float64Array.of(fresh, fresh),
      repeatedNs: Float64Array.of(100, 100),
    });
    expect(isCachingByInput([pass(180)])).toBe(false);
    expect(isCachingByInput([pass(220)])).toBe(true);
    expect(isCachingByInput([])).toBe(false);
  });
});
