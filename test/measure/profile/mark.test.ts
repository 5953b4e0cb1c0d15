import { describe, expect, it } from 'vitest';
import { verify } from '../../../src/ir/verify.js';
import { markGraph, parseMark } from '../../../src/measure/profile/mark.js';
import { createBranching } from './branching.js';

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
