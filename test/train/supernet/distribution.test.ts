/** The arithmetic of the distribution over architectures. */
import { describe, expect, test } from 'vitest';
import {
  draw,
  expectedLatency,
  expectedLatencyGradient,
  softmax,
  straightThrough,
} from '../../../src/train/supernet/distribution.js';
import { Rng } from '../../../src/util/random.js';

describe('the distribution over architectures', () => {
  const table = {
    referenceMs: 2,
    deltaMs: [
      [0, 1, 3],
      [-1, 0],
    ],
  };

  test('has the expected latency and its gradient of a hand value', () => {
    // Shares ¼, ¼, ½ and ¾, ¼: 2 + (0.25 + 1.5) + (−0.75).
    const logits = [
      [0, 0, Math.log(2)],
      [Math.log(3), 0],
    ];
    expect(expectedLatency(logits, table)).toBeCloseTo(3, 12);
    // pⱼ·(lⱼ − mean): ¼·(0 − 1.75), ¼·(1 − 1.75), ½·(3 − 1.75); ¾·(−1 + 0.75), ¼·0.75.
    const [first = [], second = []] = expectedLatencyGradient(logits, table);
    for (const [j, value] of [-0.4375, -0.1875, 0.625].entries()) {
      expect(first[j]).toBeCloseTo(value, 12);
    }
    expect(second[0]).toBeCloseTo(-0.1875, 12);
    expect(second[1]).toBeCloseTo(0.1875, 12);
  });

  test('draws each option as often as its softmax says, at any temperature', () => {
    const logits = [[0, Math.log(2), Math.log(5)]];
    const rng = new Rng(3);
    const counts = [0, 0, 0];
    for (let i = 0; i < 8000; i++) {
      const [choice = 0] = draw(logits, i % 2 === 0 ? 10 : 0.1, rng).choices;
      counts[choice] = (counts[choice] as number) + 1;
    }
    for (const [k, share] of [1 / 8, 2 / 8, 5 / 8].entries()) {
      const deviation = Math.sqrt((share * (1 - share)) / 8000);
      const seen = (counts[k] as number) / 8000;
      expect(Math.abs(seen - share)).toBeLessThan(4 * deviation);
    }
  });

  test('passes gradients straight through the relaxed softmax', () => {
    const temperature = 0.7;
    const noise = [0.3, -0.2, 1.1];
    const logits = [0.5, 0.1, -0.4];
    const given = [2, -1, 0.5];
    const shares = (at: readonly number[]) =>
      softmax(at.map((value, k) => (value + (noise[k] as number)) / temperature));
    const value = (at: readonly number[]) =>
      shares(at).reduce((sum, share, k) => sum + share * (given[k] as number), 0);
    const drawn = { choices: [2], relaxed: [shares(logits)] };
    const [slopes = []] = straightThrough([given], drawn, temperature);
    logits.forEach((_, j) => {
      const moved = (by: number) => value(logits.with(j, (logits[j] as number) + by));
      expect(slopes[j]).toBeCloseTo((moved(1e-6) - moved(-1e-6)) / 2e-6, 6);
    });
  });
});
