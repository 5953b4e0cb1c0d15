import { expect, test } from 'vitest';
import { mostProbable } from '../../../src/agent/supernet/ranking.js';
import { Rng } from '../../../src/util/random.js';

/** Every combination, sorted by what its probability is. */
function sorted(probabilities: readonly (readonly number[])[]): number[] {
  let products = [1];
  for (const shares of probabilities) {
    products = products.flatMap((product) => shares.map((share) => product * share));
  }
  return products.sort((a, b) => b - a);
}

test('yields every combination once, the most probable first', () => {
  const rng = new Rng(2);
  const probabilities = [3, 2, 4, 1].map((count) => {
    const weights = Array.from({ length: count }, () => rng.uniform());
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / total);
  });
  const found = [...mostProbable(probabilities)];
  expect(new Set(found.map(String)).size).toBe(24);
  const products = found.map((choices) =>
    choices.reduce((product, option, i) => product * (probabilities[i]?.[option] as number), 1),
  );
  for (const [i, product] of sorted(probabilities).entries()) {
    expect(products[i]).toBeCloseTo(product, 12);
  }
});

test('orders what is alike by number, and comes to options without probability last', () => {
  const alike = [
    ...mostProbable([
      [0.5, 0.5],
      [1, 0],
    ]),
  ];
  expect(alike[0]).toEqual([0, 0]);
  expect(alike.slice(0, 2).map(String).sort()).toEqual(['0,0', '1,0']);
  expect(alike).toHaveLength(4);
});
