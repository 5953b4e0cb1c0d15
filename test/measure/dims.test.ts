import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, type Shape, withGraph } from '../../src/ir/graph.js';
import { resolveInputs } from '../../src/measure/dims.js';

/** A graph with inputs of these shapes; undefined is a shape of unknown rank. */
function createGraph(inputs: Readonly<Record<string, Shape | undefined>>): Graph {
  const base = new GraphBuilder('open').build();
  return withGraph(base, {
    inputs: Object.entries(inputs).map(([name, shape]) =>
      shape === undefined ? { name, dtype: 'float32' } : { name, dtype: 'float32', shape },
    ),
  });
}

describe('resolveInputs', () => {
  it('leaves fixed shapes alone, without a word', () => {
    const { graph, dims, notes } = resolveInputs(createGraph({ x: [1, 3, 8, 8], s: [] }));
    expect(dims).toEqual({ x: [1, 3, 8, 8], s: [] });
    expect(graph.inputs[0]?.shape).toEqual([1, 3, 8, 8]);
    expect(notes).toEqual([]);
  });

  it.each([
    [
      ['batch_size', 'channels', 'height', 'width'],
      [1, 3, 224, 224],
    ],
    [
      ['N', 3, 'H', 'W'],
      [1, 3, 224, 224],
    ],
    [
      ['batch', 'sequence_length'],
      [1, 128],
    ],
    [
      ['unheard', 'of'],
      [1, 1],
    ],
    [
      ['?', 3, '?', '?'],
      [1, 3, 224, 224],
    ],
    [
      ['?', '?', '?', 3],
      [1, 224, 224, 3],
    ],
    [
      ['?', '?', '?', '?'],
      [1, 3, 224, 224],
    ],
    [
      ['?', '?'],
      [1, 1],
    ],
    [
      [1, '?', 80],
      [1, 1, 80],
    ],
  ] as [Shape, number[]][])('assumes by convention that %j is %j', (shape, expected) => {
    const { graph, dims, notes } = resolveInputs(createGraph({ x: shape }));
    expect(dims).toEqual({ x: expected });
    expect(graph.inputs[0]?.shape).toEqual(expected);
    expect(notes).toEqual([
      `input x is [${shape.join(', ')}]: assumed ${expected.join(',')}; else give --shape x=${expected.join(',')}`,
    ]);
  });

  it('takes given sizes, and speaks of the rest only', () => {
    const graph = createGraph({ x: ['N', 3, 'H', 'H'], y: ['N', 2] });
    const { dims, notes } = resolveInputs(graph, { dims: { N: 4, H: 8 } });
    expect(dims).toEqual({ x: [4, 3, 8, 8], y: [4, 2] });
    expect(notes).toEqual([]);
    expect(resolveInputs(graph, { dims: { H: 8 } }).notes).toHaveLength(2);
  });

  it('learns symbols from whole shapes', () => {
    const graph = createGraph({ x: ['N', '?', 'H'], y: ['N', 'H'] });
    const { dims, notes } = resolveInputs(graph, { shapes: { x: [2, 5, 7] } });
    expect(dims).toEqual({ x: [2, 5, 7], y: [2, 7] });
    expect(notes).toEqual([]);
  });

  it('asks one question where the rank is unknown', () => {
    const graph = createGraph({ x: undefined });
    expect(() => resolveInputs(graph)).toThrow(UsageError);
    expect(() => resolveInputs(graph)).toThrow(
      'input x: its shape is unknown; give --shape x=1,3,224,224, or what it takes',
    );
    expect(resolveInputs(graph, { shapes: { x: [2, 2] } }).graph.inputs[0]?.shape).toEqual([2, 2]);
  });

  it.each([
    [{ shapes: { z: [1] } }, /shapes: expected inputs of the model \(x, y\), received z/],
    [{ shapes: { x: [1, 3, 8] } }, /shapes\.x: expected \[N, 3, H, H\], received \[1, 3, 8\]/],
    [{ shapes: { x: [1, 4, 8, 8] } }, /shapes\.x: expected \[N, 3, H, H\]/],
    [{ shapes: { x: [1, 3, 8, 9] } }, /shapes\.x: expected \[N, 3, H, H\]/],
    [{ shapes: { x: [1, 3, 8, 8], y: [2, 2] } }, /shapes\.y: expected \[N, 2\]/],
    [{ shapes: { x: [1, 3, 8, 0] } }, /shapes\.x\[3\]: expected a whole number from 1, received 0/],
    [{ shapes: { y: [1, 2] }, dims: { N: 2 } }, /dims\.N: expected 1 as in shapes, received 2/],
    [{ dims: { M: 2 } }, /dims: expected symbolic dimensions \(N, H\), received M/],
    [{ dims: { N: 0.5 } }, /dims\.N: expected a whole number from 1, received 0\.5/],
  ])('refuses %j', (given, message) => {
    const graph = createGraph({ x: ['N', 3, 'H', 'H'], y: ['N', 2] });
    expect(() => resolveInputs(graph, given)).toThrow(UsageError);
    expect(() => resolveInputs(graph, given)).toThrow(message);
  });
});
