import { describe, expect, it } from 'vitest';
import type { AttributeValue } from '../../../src/ir/attributes.js';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { inferCost } from '../../../src/ir/cost.js';
import { absent, apply, f, type Input, ints } from './apply.js';

/** Operator, gates, outputs. */
type Layer = readonly ['RNN' | 'GRU' | 'LSTM', number, number];
const layers: readonly Layer[] = [
  ['RNN', 1, 2],
  ['GRU', 3, 2],
  ['LSTM', 4, 3],
];

/** Shapes of the outputs for x, weights of H = 5 and whatever follows. */
function shapesOf(
  [op, gates, outputs]: Layer,
  x: Input,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  further: readonly Input[] = [],
  directions = 1,
) {
  const w = f(directions, 5 * gates, 7);
  const r = f(directions, 5 * gates, 5);
  const { types } = apply(op, [x, w, r, ...further], attributes, { outputs });
  return types.slice(0, outputs).map((type) => type?.shape);
}

describe.each(layers)('%s', (...layer) => {
  const [op, gates, outputs] = layer;
  const last = (...shape: (number | string)[]) => new Array(outputs - 1).fill(shape);

  it('gives every step, and the last state of each direction', () => {
    expect(shapesOf(layer, f('T', 'N', 7))).toEqual([['T', 1, 'N', 5], ...last(1, 'N', 5)]);
    const both = { direction: 'bidirectional', hidden_size: 5 };
    expect(shapesOf(layer, f(4, 3, 7), both, [], 2)).toEqual([[4, 2, 3, 5], ...last(2, 3, 5)]);
  });

  it('has the batch first in layout 1', () => {
    const shapes = shapesOf(layer, f('N', 'T', 7), { layout: 1 });
    expect(shapes).toEqual([['N', 'T', 1, 5], ...last('N', 1, 5)]);
  });

  it('knows the units by any of the weights', () => {
    const { types } = apply(op, [f(4, 3, 7), f(1, 5 * gates, '?'), f(1, '?', '?')]);
    expect(types[0]?.shape).toEqual([4, 1, 3, 5]);
  });

  it.each<[string, RegExp, () => unknown]>([
    ['x of rank 2', /expected input 0 of rank 3, received \[4,7\]/, () => shapesOf(layer, f(4, 7))],
    ['inputs of another size', /expected input 1 as/, () => shapesOf(layer, f(4, 3, 8))],
    [
      'units that differ',
      /expected weights for 6 hidden units, received 5/,
      () => shapesOf(layer, f(4, 3, 7), { hidden_size: 6 }),
    ],
    [
      'a direction that there is not',
      /expected forward, reverse or bidirectional, received sideways/,
      () => shapesOf(layer, f(4, 3, 7), { direction: 'sideways' }),
    ],
    [
      'weights of one direction for two',
      /expected input 1 as \[2,/,
      () => shapesOf(layer, f(4, 3, 7), { direction: 'bidirectional' }),
    ],
    [
      'biases of another size',
      /expected input 3 as/,
      () => shapesOf(layer, f(4, 3, 7), {}, [f(1, 5 * gates)]),
    ],
    [
      'a state of another batch',
      /expected input 5 as \[1,3,5\], received \[1,2,5\]/,
      () => shapesOf(layer, f(4, 3, 7), {}, [absent, ints(4, 4, 4), f(1, 2, 5)]),
    ],
  ])('refuses %s', (_, message, infer) => {
    expect(infer).toThrow(message);
  });

  it('costs the products of every step, with inputs and with states', () => {
    const b = new GraphBuilder('cost');
    b.input('x', 'float32', ['T', 'N', 7]);
    const inputs = ['x', b.weight('w', [2, 5 * gates, 7]), b.weight('r', [2, 5 * gates, 5])];
    b.output(b.op(op, inputs, { direction: 'bidirectional' }), 'y');
    const macs = 2 * 4 * 3 * 5 * gates * (7 + 5);
    expect(inferCost(b.build(), { T: 4, N: 3 }).macs).toBe(macs);
  });
});
