import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, withDims } from '../../src/ir/graph.js';
import { ShapeError } from '../../src/ir/infer.js';
import { problemsOf } from '../../src/ir/verify.js';

function small(): Graph {
  const b = new GraphBuilder('small', { domains: { 'com.example': 3 } });
  const x = b.input('x', 'float32', ['N', 4]);
  const y = b.op('Gemm', [x, b.weight('w', [2, 4]), b.weight('b', [2])], { transB: 1 });
  b.output(b.op('Add', [y, b.scalar(1)]), 'logits');
  return b.build({ origin: 'test' });
}

describe('GraphBuilder', () => {
  it('infers types as it goes, symbolic sizes included', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'float32', ['N', 3, 8, 8]);
    const conv = b.op('Conv', [x, b.weight('w', [6, 3, 3, 3])]);
    expect(b.typeOf(conv)).toEqual({ dtype: 'float32', shape: ['N', 6, 6, 6] });
    expect(() => b.dimsOf(conv)).toThrow('dimension N expected a fixed size');
    expect(b.sizeOf('w')).toBe(162);
  });

  it('reports a mistake at the node that makes it', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'float32', [2, 3]);
    expect(() => b.op('MatMul', [x, x], {}, 'square')).toThrow(ShapeError);
    expect(() => b.op('Relu', ['nowhere'])).toThrow('input nowhere is not defined');
    expect(() => b.op('Relu', [x], { alpha: 1 })).toThrow('Relu has no attribute alpha');
    expect(() => b.input('x', 'float32', [])).toThrow('name x is defined twice');
  });

  it('gives fresh names and stores equal constants once', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'float32', [2]);
    expect([b.op('Relu', [x]), b.op('Relu', [x]), b.op('Relu', [x])]).toEqual([
      'relu',
      'relu_2',
      'relu_3',
    ]);
    expect(b.scalar(2)).toBe(b.scalar(2));
    expect(b.scalar(2)).not.toBe(b.scalar(3));
    expect(b.scalar(2)).not.toBe(b.scalar(2, 'int64'));
    expect(b.ints([1, 2])).toBe(b.ints([1, 2]));
  });

  it('goes on from a graph without losing anything', () => {
    const graph = small();
    const again = GraphBuilder.from(graph);
    for (const { name } of graph.outputs) again.output(name);
    expect(again.build(graph.metadata)).toEqual(graph);
    const unranked: Graph = {
      ...graph,
      nodes: [],
      outputs: [],
      inputs: [{ name: 'x', dtype: 'float32' }],
    };
    expect(GraphBuilder.from(unranked).build().inputs).toEqual(unranked.inputs);
  });

  it('makes graphs that are legal, frozen, and can be bound to sizes', () => {
    const graph = small();
    expect(problemsOf(graph)).toEqual([]);
    expect(Object.isFrozen(graph.nodes[0]?.attributes)).toBe(true);
    const bound = withDims(graph, { N: 16 });
    expect(bound.inputs[0]?.shape).toEqual([16, 4]);
    expect(bound.outputs[0]?.shape).toEqual([16, 2]);
    expect(problemsOf(bound)).toEqual([]);
  });
});
