import { describe, expect, it } from 'vitest';
import { limitsBroken, reasonToRefuse } from '../../src/guard/guard.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { inferCost } from '../../src/ir/cost.js';
import { freezeGraph, type Graph, type Node } from '../../src/ir/graph.js';

function classifier(change: (builder: GraphBuilder, features: string) => string = (_, x) => x) {
  const builder = new GraphBuilder('net');
  const image = builder.input('image', 'float32', ['N', 1, 8, 8]);
  const features = change(builder, builder.op('Flatten', [image]));
  builder.output(builder.op('Gemm', [features, builder.weight('w', [64, 10])]), 'logits');
  return builder.build();
}

const withNode = (graph: Graph, node: Partial<Node>): Graph =>
  freezeGraph({
    ...graph,
    nodes: [
      ...graph.nodes,
      {
        name: 'odd',
        op: 'Relu',
        domain: '',
        inputs: ['logits'],
        outputs: ['z'],
        attributes: {},
        ...node,
      },
    ],
  });

describe('what may run', () => {
  it('lets an ordinary classifier pass', () => {
    expect(reasonToRefuse(classifier())).toBeUndefined();
  });

  it.each([
    ['an unknown operator', { op: 'Mish' }],
    ['control flow', { op: 'Loop' }],
    ['a foreign domain', { op: 'Gelu', domain: 'com.microsoft' }],
    ['our own training kernels', { op: 'TrainingConv', domain: 'archwright' }],
  ])('refuses %s', (_, node) => {
    const reason = reasonToRefuse(withNode(classifier(), node));
    expect(reason).toBe(`node odd: the operator ${node.op} is not among those that may run`);
  });

  it('refuses constants that could hold answers', () => {
    const graph = classifier((builder, x) => {
      const data = new Float32Array(64 * 5000);
      const table = builder.constant({ dtype: 'float32', dims: [64, 5000], data });
      const back = builder.constant({ dtype: 'float32', dims: [5000, 64], data });
      return builder.op('MatMul', [builder.op('MatMul', [x, table]), back]);
    });
    expect(reasonToRefuse(graph)).toMatch(/constants hold 2560000 bytes, expected at most 1048576/);
  });

  it('refuses an output that sees no input', () => {
    const builder = new GraphBuilder('blind');
    builder.input('image', 'float32', ['N', 1, 8, 8]);
    builder.output(builder.op('Relu', [builder.weight('answers', [4, 10])]), 'logits');
    expect(reasonToRefuse(builder.build())).toMatch(/output logits does not depend on any input/);
  });
});

describe('limits', () => {
  const generous = { maxParams: 1e6, maxMacs: 1e6, maxActivationBytes: 1e6, maxNodes: 100 };
  const graph = classifier();
  const cost = inferCost(graph, { N: 1 });

  it('are held or broken with the amount', () => {
    expect(limitsBroken(graph, cost, generous)).toEqual([]);
    expect(limitsBroken(graph, cost, { ...generous, maxParams: 640 })).toEqual([]);
    expect(limitsBroken(graph, cost, { ...generous, maxParams: 639, maxNodes: 1 })).toEqual([
      { metric: 'params', limit: 639, actual: 640 },
      { metric: 'nodes', limit: 1, actual: graph.nodes.length },
    ]);
  });
});
