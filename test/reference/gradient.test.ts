/** The reference interpreter's own Gradient operator, which asks for the graph before it. */
import { expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { interpret } from './interpreter.js';
import { tensor } from './tensor.js';

it('differentiates what stands before a Gradient, at the inputs it is given', () => {
  const b = new GraphBuilder('gradient', { domains: { 'ai.onnx.preview.training': 1 } });
  for (const name of ['a', 'b']) b.input(name, 'float32', [2]);
  b.output(b.op('Mul', [b.op('Add', ['a', 'b']), 'a'], {}, 'y'));
  const [da = '', db = ''] = b.ops('Gradient', ['a', 'b'], { xs: ['a', 'b'], y: 'y' }, 2);
  b.output(da);
  b.output(db);
  const values = interpret(b.build(), { a: tensor([2], [1, 2]), b: tensor([2], [3, 5]) });
  // d(a² + a·b)/da = 2a + b and d/db = a.
  for (const [i, slope] of [5, 9].entries()) expect(values.get(da)?.data[i]).toBeCloseTo(slope, 6);
  for (const [i, slope] of [1, 2].entries()) expect(values.get(db)?.data[i]).toBeCloseTo(slope, 6);
});
