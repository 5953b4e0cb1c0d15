import { expect, test } from 'vitest';
import { violationsOf } from '../../src/trial/objective.js';

test('violations name the limit and the value; unknown metrics break none, NaN breaks all', () => {
  const constraints = [
    { metric: 'latencyMs', max: 2 },
    { metric: 'accuracy', min: 0.5 },
    { metric: 'params', min: 10, max: 100 },
  ];
  expect(violationsOf({ latencyMs: 2, accuracy: 0.5 }, constraints)).toEqual([]);
  expect(violationsOf({ latencyMs: 2.5, params: 5 }, constraints)).toEqual([
    { metric: 'latencyMs', limit: 2, actual: 2.5 },
    { metric: 'params', limit: 10, actual: 5 },
  ]);
  expect(violationsOf({ latencyMs: Number.NaN }, constraints)).toHaveLength(1);
});
