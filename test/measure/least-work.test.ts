import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { inferLeastWork } from '../../src/measure/least-work.js';
import { choosing, looping } from '../ir/control-graphs.js';

/** [N, 8] × [8, 8] products, 64 MACs a row, by a weight of 256 bytes each. */
function createBuilder() {
  const builder = new GraphBuilder('work');
  const x = builder.input('x', 'float32', ['N', 8]);
  const weight = () => builder.weight('w', [8, 8]);
  const product = (a: string, b: string) => builder.op('MatMul', [a, b]);
  return { builder, x, weight, product };
}

describe('inferLeastWork', () => {
  it('counts the arithmetic of every node on the way to an output', () => {
    const { builder, x, weight, product } = createBuilder();
    builder.output(product(product(x, weight()), weight()), 'y');
    expect(inferLeastWork(builder.build(), { N: 3 })).toEqual({ macs: 2 * 3 * 64, bytes: 512 });
  });

  it('counts nothing that a runtime may fold, prune or merge', () => {
    const { builder, x, weight, product } = createBuilder();
    const [a, b] = [weight(), weight()];
    const folded = product(a, b);
    product(x, weight());
    const [once, again] = [product(x, a), product(x, a)];
    const sum = builder.op('Add', [product(once, b), product(again, b)]);
    builder.output(builder.op('Add', [sum, product(x, folded)]), 'y');
    // x·a, (x·a)·b and x·(a·b), reading a and b; the unused product and its weight are gone.
    expect(inferLeastWork(builder.build(), { N: 1 })).toEqual({ macs: 3 * 64, bytes: 512 });
  });

  it('counts nothing of bodies, which may not run, or may run once for all turns', () => {
    expect(inferLeastWork(choosing('c'), { N: 4 })).toEqual({ macs: 0, bytes: 0 });
    expect(inferLeastWork(looping, {})).toEqual({ macs: 0, bytes: 0 });
  });
});
