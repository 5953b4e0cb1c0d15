import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { type Graph, withGraph } from '../../../src/ir/graph.js';
import { verify } from '../../../src/ir/verify.js';
import { markGraph, parseMark } from '../../../src/measure/profile/mark.js';

/** x → Relu → If(then: captured Relu's output, negated; else: x), the branch reading outer values. */
export function createBranching(): Graph {
  const builder = new GraphBuilder('branching');
  const x = builder.input('x', 'float32', [4]);
  const on = builder.input('on', 'bool', []);
  const relu = builder.op('Relu', [x]);
  const graph = builder.build();
  const body = (op: string, read: string): Graph => ({
    ...graph,
    name: op,
    inputs: [],
    initializers: [],
    nodes: [{ name: 'inner', op, domain: '', inputs: [read], outputs: ['y'], attributes: {} }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [4] }],
  });
  return withGraph(graph, {
    nodes: [
      ...graph.nodes,
      {
        name: 'choice',
        op: 'If',
        domain: '',
        inputs: [on],
        outputs: ['chosen'],
        attributes: {
          then_branch: { kind: 'graph', value: body('Neg', relu) },
          else_branch: { kind: 'graph', value: body('Identity', x) },
        },
      },
    ],
    outputs: [{ name: 'chosen', dtype: 'float32', shape: [4] }],
  });
}

describe('markGraph', () => {
  it('names every node and value after its place, and keeps the inputs', () => {
    const { graph, inner } = markGraph(createBranching());
    verify(graph);
    expect(graph.nodes.map(({ name, inputs, outputs }) => ({ name, inputs, outputs }))).toEqual([
      { name: '@0@', inputs: ['x'], outputs: ['@0:0@'] },
      { name: '@1@', inputs: ['on'], outputs: ['@1:0@'] },
    ]);
    expect(graph.outputs.map(({ name }) => name)).toEqual(['@1:0@']);
    expect(inner.get(1)?.map(({ op }) => op)).toEqual(['Neg', 'Identity']);
  });

  it('renames what bodies read from outside, and nothing of their own', () => {
    const { graph } = markGraph(createBranching());
    const branch = graph.nodes[1]?.attributes.then_branch;
    expect(branch?.kind === 'graph' && branch.value.nodes[0]).toMatchObject({
      name: '@1/0@',
      inputs: ['@0:0@'],
      outputs: ['y'],
    });
  });
});

describe('parseMark', () => {
  it('finds the mark in what the runtime makes of it', () => {
    expect(parseMark('fused @14@')).toEqual({ node: 14 });
    expect(parseMark('@18:0@_nchwc')).toEqual({ node: 18, output: 0 });
    expect(parseMark('@7@_token_12')).toEqual({ node: 7 });
    expect(parseMark('@3/5@/MatMulAddFusion')).toEqual({ node: 3, inner: 5 });
    expect(parseMark('ReorderOutput_token_4')).toBeUndefined();
    expect(parseMark('mail@example')).toBeUndefined();
  });
});
