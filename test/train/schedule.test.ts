/** Learning rates against formulas and against PyTorch's schedulers (`torch-recipe.json`). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Recipe, resolveRecipe } from '../../src/train/recipe.js';
import { createSchedule } from '../../src/train/schedule.js';

const torch: Readonly<Record<string, readonly number[]>> = JSON.parse(
  readFileSync(new URL('torch-recipe.json', import.meta.url), 'utf8'),
).schedules;

const rates = (steps: number, stepsPerEpoch: number, recipe: Recipe) =>
  createSchedule(steps, stepsPerEpoch, resolveRecipe(recipe));

function expectClose(received: Float32Array, wanted: readonly number[]): void {
  expect(received).toHaveLength(wanted.length);
  received.forEach((rate, i) => {
    expect(Math.abs(rate - (wanted[i] as number)), `step ${i}`).toBeLessThan(1e-7);
  });
}

describe('cosine', () => {
  test('rises to the peak in a straight line and falls along a cosine', () => {
    const half = (k: number) => 0.4 * (1 + Math.cos((Math.PI * k) / 8));
    const wanted = [0.4, 0.8, 0.8, half(1), half(2), half(3), half(4), half(5), half(6), half(7)];
    expectClose(rates(10, 5, { learningRate: 0.8, warmupFraction: 0.2 }), wanted);
  });

  test('without warm-up it begins at the peak; one step is at the peak', () => {
    expect(rates(5, 5, { learningRate: 1, warmupFraction: 0 })[0]).toBe(1);
    expect([...rates(1, 1, { learningRate: 1 })]).toEqual([1]);
  });
});

describe('as in PyTorch', () => {
  const base = { learningRate: 0.4, decayFactor: 0.5, decayEpochs: 2 } as const;
  test('one-cycle', () => {
    const recipe = { ...base, schedule: 'one-cycle', warmupFraction: 0.3 } as const;
    expectClose(rates(20, 3, recipe), torch['one-cycle'] ?? []);
  });

  test.each(['step', 'exponential'] as const)('%s', (schedule) => {
    expectClose(rates(20, 3, { ...base, schedule, warmupFraction: 0 }), torch[schedule] ?? []);
  });
});

test('a constant rate stays, after its warm-up', () => {
  const recipe = { learningRate: 0.5, schedule: 'constant', warmupFraction: 0.4 } as const;
  expectClose(rates(5, 1, recipe), [0.25, 0.5, 0.5, 0.5, 0.5]);
});

test('one cycle of one or two steps has finite rates', () => {
  for (const steps of [1, 2]) {
    const values = rates(steps, 1, { schedule: 'one-cycle', learningRate: 1, warmupFraction: 0.5 });
    expect([...values].every((rate) => rate > 0 && rate <= 1)).toBe(true);
  }
});
