/**
 * Gradients where a function has a kink or a tie: there a convention decides, and it is PyTorch's.
 * `torch-ties.json` holds what `torch.autograd` of PyTorch 1.13 gives for the sum of the output.
 */
import { describe, expect, it } from 'vitest';
import type { AttributeValue } from '../../src/ir/attributes.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { OpName } from '../../src/ir/op-schema.js';
import { appendForward, appendGradients } from '../../src/train/autodiff.js';
import { interpret } from '../reference/interpreter.js';
import { tensor } from '../reference/tensor.js';
import stored from './torch-ties.json' with { type: 'json' };

interface Tie {
  readonly op: OpName;
  readonly about: string;
  /** Rows of the inputs; one row is a list. */
  readonly inputs: readonly (readonly (readonly number[])[])[];
  /** An int64 input behind them. */
  readonly integers?: readonly number[];
  /** A constant exponent behind them. */
  readonly exponent?: number;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly opset?: number;
  /** Flat, one list per input. */
  readonly gradients: readonly (readonly number[])[];
}

describe('gradients at kinks and ties are those of PyTorch', () => {
  it.each(stored as unknown as readonly Tie[])('$op: $about', (tie) => {
    const b = new GraphBuilder('tie', { opset: tie.opset ?? 17 });
    const feeds = tie.inputs.map((rows) => {
      const dims = rows.length === 1 ? [rows[0]?.length ?? 0] : [rows.length, rows[0]?.length ?? 0];
      return tensor(dims, rows.flat());
    });
    const names = feeds.map(({ dims }, i) => b.input(`x${i}`, 'float32', dims));
    const further = [
      ...(tie.integers === undefined ? [] : [b.ints(tie.integers)]),
      ...(tie.exponent === undefined ? [] : [b.scalar(tie.exponent)]),
    ];
    const node = b.create(tie.op, [...names, ...further], tie.attributes ?? {}, 1, 'y');
    const nodes = appendForward(b, node);
    const dy = b.input('dy', 'float32', b.dimsOf('y'));
    const ones = new Array<number>(b.sizeOf('y')).fill(1);
    const gradients = appendGradients(b, nodes, new Map([['y', dy]]), names);
    const fed = {
      ...Object.fromEntries(feeds.map((feed, i) => [`x${i}`, feed])),
      dy: tensor(b.dimsOf('y'), ones),
    };
    const values = interpret(b.build(), fed);
    tie.gradients.forEach((expected, i) => {
      const gradient = gradients.get(`x${i}`);
      const actual =
        gradient === undefined ? expected.map(() => 0) : [...(values.get(gradient)?.data ?? [])];
      expect(actual).toHaveLength(expected.length);
      actual.forEach((value, k) => {
        expect(value, `input ${i}, element ${k}`).toBeCloseTo(expected[k] as number, 6);
      });
    });
  });
});
