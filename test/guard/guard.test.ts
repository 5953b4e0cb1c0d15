import { describe, expect, it } from 'vitest';
import { limitsBroken, reasonToRefuse } from '../../src/guard/guard.js';
import { mapSubgraphs } from '../../src/ir/attributes.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { inferCost } from '../../src/ir/cost.js';
import { freezeGraph, type Graph, type Node } from '../../src/ir/graph.js';
import { parseGraph } from '../../src/ir/text/parse.js';
import { problemsOf } from '../../src/ir/verify.js';

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

const limitOf = (maxNodes: number) => ({
  maxParams: 1e6,
  maxMacs: 1e6,
  maxActivationBytes: 1e6,
  maxNodes,
});

describe('what may run', () => {
  it('lets an ordinary classifier pass', () => {
    expect(reasonToRefuse(classifier())).toBeUndefined();
  });

  it.each([
    ['an unknown operator', { op: 'Mystery' }],
    ['a foreign domain', { op: 'Gelu', domain: 'com.microsoft' }],
    ['our own training kernels', { op: 'TrainingConv', domain: 'archwright' }],
  ])('refuses %s', (_, node) => {
    const reason = reasonToRefuse(withNode(classifier(), node));
    expect(reason).toBe(`node odd: the operator ${node.op} is not among those that may run`);
  });

  const reading = (condition: string, inner: string) =>
    parseGraph(`<ir_version: 8, opset_import: ["" : 17, "com.microsoft" : 1]>
      net (float[N, 4] image) => (float[N, 4] logits) <int64 turns = {9}, bool yes = {1}> {
        z = ReduceSum <keepdims = 0> (image)
        goes = Cast <to = 9> (z)
        logits = Loop (${condition}, image) <
          body = turn (int64 i, bool on, float[N, 4] v) => (bool on2, float[N, 4] n) {
            on2 = Identity(on)
            n = ${inner}
          }
        >
      }`);
  it.each([
    ['a Loop with a trip count', 'turns, ""', 'Relu(v)', undefined],
    ['a Loop whose condition stays', 'turns, yes', 'Relu(v)', undefined],
    [
      'a Loop without end',
      '"", yes',
      'Relu(v)',
      /node logits: expected a Loop whose number of turns/,
    ],
    [
      'a Loop that data keeps going',
      'turns, goes',
      'Relu(v)',
      /expected a Loop whose number of turns/,
    ],
    [
      'an operator in a body',
      'turns, ""',
      'com.microsoft.Gelu(v)',
      /the operator Gelu is not among/,
    ],
  ])('looks into %s', (_, condition, inner, reason) => {
    const graph = reading(condition, inner);
    expect(problemsOf(graph)).toEqual([]);
    if (reason === undefined) expect(reasonToRefuse(graph)).toBeUndefined();
    else expect(reasonToRefuse(graph)).toMatch(reason);
    expect(limitsBroken(graph, inferCost(graph, { N: 1 }), limitOf(4))).toEqual([
      { metric: 'nodes', limit: 4, actual: 5 },
    ]);
  });

  it('refuses constants that could hold answers within a body', () => {
    const graph = parseGraph(`<ir_version: 8, opset_import: ["" : 17]>
      net (float[N, 4] image, bool c) => (float[] logits) {
        logits = If (c) <
          then_branch = a () => (float[] p) { p = Relu(image) },
          else_branch = b () => (float[] q) { t = Constant <value = float[1] {0.0}> () q = Add(image, t) }
        >
      }`);
    const [node] = graph.nodes as [Node];
    const data = new Float32Array(300_000);
    const value = { dtype: 'float32', dims: [75_000, 4], data } as const;
    const bulky = mapSubgraphs(node, (body) => ({
      ...body,
      nodes: body.nodes.map((one) =>
        one.op === 'Constant' ? { ...one, attributes: { value: { kind: 'tensor', value } } } : one,
      ),
    }));
    expect(reasonToRefuse(graph)).toBeUndefined();
    expect(reasonToRefuse({ ...graph, nodes: [bulky] })).toMatch(/constants hold 1200000 bytes/);
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
  const generous = limitOf(100);
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
