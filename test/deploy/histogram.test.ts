import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/deploy/histogram.js';
import { activationScale, type ValueRange } from '../../src/ir/pass/quantize-numbers.js';
import { roundHalfEven } from '../../src/util/half.js';
import { Rng } from '../../src/util/random.js';

/** Mean squared error of the values through uint8. */
function loss(values: Float32Array, range: ValueRange): number {
  const { scale, zeroPoint } = activationScale(range);
  let sum = 0;
  for (const value of values) {
    const q = Math.min(255, Math.max(0, roundHalfEven(value / scale) + zeroPoint));
    sum += (scale * (q - zeroPoint) - value) ** 2;
  }
  return sum / values.length;
}

function histogramOf(...batches: Float32Array[]): Histogram {
  const histogram = new Histogram();
  for (const batch of batches) histogram.add(batch);
  return histogram;
}

const draw = (count: number, value: (rng: Rng) => number): Float32Array => {
  const rng = new Rng('histogram');
  return Float32Array.from({ length: count }, () => value(rng));
};

describe('Histogram', () => {
  it('knows the extremes, with 0 between them', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true })), (values) => {
        const { range } = histogramOf(Float32Array.from(values));
        expect(range).toEqual({ min: Math.min(0, ...values) + 0, max: Math.max(0, ...values) + 0 });
      }),
      { seed: 1 },
    );
  });

  it('is the same whatever the order and the batches', () => {
    const values = draw(6000, (rng) => rng.normal() * 10 ** rng.range(-3, 2));
    const whole = histogramOf(values).clippedRange();
    const parts = [values.slice(4000), values.slice(0, 1000), values.slice(1000, 4000)];
    expect(histogramOf(...parts).clippedRange()).toEqual(whole);
  });

  it.each([
    ['normal values', draw(20000, (rng) => rng.normal())],
    ['values behind a Relu, with outliers', draw(20000, (rng) => Math.max(0, rng.normal() ** 3))],
    ['a long lower tail', draw(20000, (rng) => 1 - Math.exp(2 * rng.normal()))],
  ])('clips %s to lose about as little as any range does', (_, values) => {
    const histogram = histogramOf(values);
    const { min, max } = histogram.range;
    const chosen = loss(values, histogram.clippedRange());
    expect(chosen).toBeLessThanOrEqual(loss(values, { min, max }));
    const shares = Array.from({ length: 20 }, (_, i) => (i + 1) / 20);
    const all = shares.flatMap((a) =>
      shares.map((b) => loss(values, { min: a * min, max: b * max })),
    );
    expect(chosen).toBeLessThan(1.1 * Math.min(...all));
  });

  it('keeps the whole range of values that are spread evenly', () => {
    const { min, max } = histogramOf(draw(20000, (rng) => rng.range(-1, 3))).clippedRange();
    expect(min).toBeLessThan(-0.95);
    expect(max).toBeGreaterThan(2.95);
  });

  it('says that values were not all finite, and looks at the others', () => {
    const histogram = histogramOf(Float32Array.of(1, 2), Float32Array.of(Number.NaN));
    expect(histogram.isFinite).toBe(false);
    expect(histogram.range).toEqual({ min: 0, max: 2 });
    const infinite = histogramOf(Float32Array.of(Number.NEGATIVE_INFINITY));
    expect([infinite.isFinite, infinite.range]).toEqual([false, { min: 0, max: 0 }]);
  });
});
