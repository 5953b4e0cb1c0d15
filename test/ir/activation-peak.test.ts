import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { inferCost } from '../../src/ir/cost.js';

/** Bytes of the tensors below: float32 [4, 8]. */
const SIZE = 4 * 4 * 8;

/** Peak of a graph with one input of [4, 8]; `build` returns its outputs. */
function peakOf(build: (b: GraphBuilder, x: string) => readonly string[]) {
  const b = new GraphBuilder('peak');
  const outputs = build(b, b.input('x', 'float32', [4, 8]));
  outputs.forEach((value, i) => {
    b.output(value, `y${i}`);
  });
  const { activationPeakBytes, foldedBytes } = inferCost(b.build());
  return { peak: activationPeakBytes / SIZE, folded: foldedBytes / SIZE };
}

const softmax = (b: GraphBuilder, x: string) => b.op('Softmax', [x]);

describe('activation peak', () => {
  it('counts input and output of what needs both', () => {
    expect(peakOf((b, x) => [softmax(b, softmax(b, softmax(b, x)))]).peak).toBe(2);
  });

  it('writes element by element over what nothing reads later', () => {
    // The caller's input is not written over, what follows is.
    expect(peakOf((b, x) => [b.op('Relu', [b.op('Exp', [b.op('Neg', [x])])])]).peak).toBe(2);
    expect(peakOf((b, x) => [b.op('Add', [softmax(b, x), softmax(b, x)])]).peak).toBe(3);
  });

  it('keeps what is read later, or is an output', () => {
    // Beside x: s, its Relu, and their sum in the place of either.
    const later = (b: GraphBuilder, x: string) => {
      const s = softmax(b, x);
      return [b.op('Add', [b.op('Relu', [s]), s])];
    };
    expect(peakOf(later).peak).toBe(2);
    expect(
      peakOf((b, x) => {
        const s = softmax(b, x);
        return [b.op('Relu', [s]), s];
      }).peak,
    ).toBe(2);
  });

  it('does not write over an input of another size', () => {
    const broadcast = (b: GraphBuilder, x: string) => {
      const column = b.op('ReduceMax', [x], { axes: [1] });
      return [b.op('Exp', [b.op('Add', [column, b.op('Neg', [x])])])];
    };
    // x and its negation, over which everything else is written, and the column of a quarter.
    expect(peakOf(broadcast).peak).toBeCloseTo(2 + 1 / 8, 9);
  });

  it('gives views no memory, and keeps their source while they live', () => {
    const flat = (b: GraphBuilder, x: string) => [b.op('Exp', [b.op('Flatten', [softmax(b, x)])])];
    expect(peakOf(flat).peak).toBe(2);
    // A view of the input is the caller's too.
    expect(peakOf((b, x) => [b.op('Exp', [b.op('Flatten', [x])])]).peak).toBe(2);
    // The view outlives the last direct reader of its source: nothing may write over it.
    const shared = (b: GraphBuilder, x: string) => {
      const s = softmax(b, x);
      const view = b.op('Flatten', [s]);
      return [b.op('Add', [softmax(b, b.op('Neg', [s])), view])];
    };
    expect(peakOf(shared).peak).toBe(3);
  });

  it('takes what follows from stored tensors alone for folded', () => {
    const folded = (b: GraphBuilder, x: string) => {
      const w = b.initializer({
        name: 'w',
        role: 'weight',
        dtype: 'float32',
        dims: [4, 8],
        data: new Float32Array(32),
      });
      return [b.op('Add', [x, softmax(b, b.op('Exp', [w]))])];
    };
    expect(peakOf(folded)).toEqual({ peak: 2, folded: 2 });
  });
});
