/** Random untrained nets for property tests: small image networks with sharing, branches, constants. */
import fc from 'fast-check';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { Graph } from '../../src/ir/graph.js';

const unary = ['Relu', 'Sigmoid', 'Tanh', 'HardSwish', 'Neg', 'Identity', 'Exp'] as const;
const binary = ['Add', 'Mul', 'Sub', 'Max', 'Div'] as const;

/** One step of a recipe: what to add, and which earlier values it reads. */
interface Step {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(99),
  a: fc.nat(99),
  b: fc.nat(99),
});

/** Graphs of 1 to 14 steps over an input of [N,4,6,6], with one or two outputs. */
export const randomNet: fc.Arbitrary<Graph> = fc
  .tuple(fc.array(step, { minLength: 1, maxLength: 14 }), fc.nat(99))
  .map(([steps, last]) => buildGraph(steps, last));

function buildGraph(steps: readonly Step[], last: number): Graph {
  const b = new GraphBuilder('random');
  const values = [b.input('x', 'float32', ['N', 4, 6, 6])];
  const weights: string[] = [];
  const pick = <T>(list: readonly T[], i: number) => list[i % list.length] as T;
  for (const { kind, a, b: other } of steps) values.push(addStep(kind, a, other));
  b.output(values.at(-1) as string);
  const second = pick(values, last);
  if (last > 50 && second !== values.at(-1) && second !== 'x') b.output(second);
  return b.build({ origin: 'random' });

  function addStep(kind: number, a: number, other: number): string {
    const x = pick(values, a);
    const y = pick(values, other);
    switch (kind % 8) {
      case 0: {
        const known = weights.length > 0 && other % 3 === 0;
        const w = known ? pick(weights, a) : b.weight('w', [4, 4, 3, 3]);
        weights.push(w);
        return b.op('Conv', [x, w], { pads: [1, 1, 1, 1] });
      }
      case 1: {
        const group = { group: 4, pads: [1, 1, 1, 1] };
        return b.op('Conv', [x, b.weight('dw', [4, 1, 3, 3]), b.weight('b', [4])], group);
      }
      case 2: {
        const affine = [b.weight('scale', [4]), b.weight('shift', [4])];
        const state = [b.weight('mean', [4], 'state'), b.weight('var', [4], 'state')];
        return b.op('BatchNormalization', [x, ...affine, ...state]);
      }
      case 3:
        return b.op('Mul', [b.op('ReduceMean', [x], { axes: [2, 3] }), y]);
      case 4: {
        const joined = b.op('Concat', [x, y], { axis: 1 });
        return b.op('Conv', [joined, b.weight('w', [4, 8, 1, 1])]);
      }
      case 5:
        return b.op('Mul', [x, b.scalar((other % 4) + 1)]);
      case 6:
        return b.op(pick(unary, other), [x]);
      default:
        return b.op(pick(binary, kind), [x, y]);
    }
  }
}
