import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, type Node, withGraph } from '../../src/ir/graph.js';
import { GraphError, problemsOf, verify } from '../../src/ir/verify.js';

function net(): Graph {
  const b = new GraphBuilder('net');
  const x = b.input('x', 'float32', ['N', 3, 8, 8]);
  const conv = b.op('Conv', [x, b.weight('w', [4, 3, 3, 3])], { pads: [1, 1, 1, 1] }, 'conv');
  const flat = b.op('Flatten', [b.op('Relu', [conv], {}, 'relu')], {}, 'flat');
  b.output(b.op('Gemm', [flat, b.weight('head', [10, 256])], { transB: 1 }, 'gemm'), 'logits');
  return b.build();
}

/** The graph with one node changed. */
const withNode = (graph: Graph, name: string, change: Partial<Node>): Graph =>
  withGraph(graph, {
    nodes: graph.nodes.map((node) => (node.name === name ? { ...node, ...change } : node)),
  });

describe('verify', () => {
  it('accepts what the builder makes', () => {
    expect(problemsOf(net())).toEqual([]);
    expect(() => verify(net())).not.toThrow();
  });

  it('throws the first problem as one line', () => {
    const broken = withNode(net(), 'relu', { inputs: ['nowhere'] });
    expect(() => verify(broken)).toThrow(GraphError);
    expect(() => verify(broken)).toThrow(
      'graph net: node relu (Relu): input nowhere is not defined',
    );
  });

  const conv3d: Node['attributes'] = { pads: { kind: 'ints', value: [1, 1] } };
  const g = net();
  const cases: [string, Graph, string][] = [
    ['no opset', withGraph(g, { opsets: {} }), "expected a version of ONNX's operator set"],
    [
      'a foreign domain without version',
      withNode(g, 'relu', { domain: 'com.example' }),
      "expected a version of operator set 'com.example'",
    ],
    ['a value assigned twice', withNode(g, 'relu', { outputs: ['conv'] }), 'conv is defined twice'],
    ['a node name in use', withNode(g, 'relu', { name: 'conv' }), 'expected a name of its own'],
    ['a wrong order', withGraph(g, { nodes: g.nodes.toReversed() }), 'is defined only later'],
    ['too many inputs', withNode(g, 'relu', { inputs: ['conv', 'x'] }), 'expected 1 inputs'],
    ['a required input left out', withNode(g, 'conv', { inputs: ['x', ''] }), 'expected input 1'],
    ['no outputs', withNode(g, 'flat', { outputs: [] }), 'expected 1 outputs, received 0'],
    [
      'an attribute of another operator',
      withNode(g, 'relu', { attributes: { alpha: { kind: 'float', value: 1 } } }),
      'attribute alpha is not of this operator',
    ],
    [
      'an attribute of another kind',
      withNode(g, 'gemm', { attributes: { transB: { kind: 'float', value: 1 } } }),
      'attribute transB expected int, received float',
    ],
    ['contradicting attributes', withNode(g, 'conv', { attributes: conv3d }), 'expected 4 pads'],
    [
      'a constant without data',
      withGraph(g, {
        initializers: g.initializers.map((i) => ({ ...i, role: 'constant' as const })),
      }),
      'initializer w: expected data',
    ],
    [
      'data of another length',
      withGraph(g, {
        initializers: g.initializers.map((i) => ({ ...i, data: new Float32Array(3) })),
      }),
      'initializer w: expected 108 elements for [4,3,3,3], received 3',
    ],
    [
      'data of another type',
      withGraph(g, {
        initializers: g.initializers.map((i) => ({ ...i, data: new Float64Array(108) })),
      }),
      'initializer w: expected data of float32, received Float64Array',
    ],
    [
      'shapes that contradict',
      withGraph(g, { inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 5, 8, 8] }] }),
      'node conv (Conv): expected 3 input channels as in its weight [4,3,3,3], received 5 in [N,5,8,8]',
    ],
    [
      'a declared output of another shape',
      withGraph(g, { outputs: [{ name: 'logits', dtype: 'float32', shape: ['N', 11] }] }),
      'output logits: expected [N,10] as inferred, received [N,11]',
    ],
    [
      'a declared output of another type',
      withGraph(g, { outputs: [{ name: 'logits', dtype: 'int64', shape: ['N', 10] }] }),
      'output logits: expected float32 as inferred',
    ],
    [
      'an output that does not exist',
      withGraph(g, { outputs: [{ name: 'nothing', dtype: 'float32' }] }),
      'output nothing is not defined',
    ],
  ];
  it.each(cases)('names %s', (_, graph, message) => {
    expect(problemsOf(graph).join('\n')).toContain(message);
    expect(() => verify(graph)).toThrow(GraphError);
  });

  it('reports all problems, not only the first', () => {
    const broken = withNode(withNode(g, 'relu', { inputs: ['a'] }), 'flat', { inputs: ['b'] });
    expect(problemsOf(broken).filter((p) => p.includes('is not defined'))).toHaveLength(2);
  });

  const body = (read: string): Graph => ({
    name: 'then',
    opsets: {},
    inputs: [],
    outputs: [{ name: 'y', dtype: 'float32' }],
    initializers: [],
    nodes: [{ name: 'abs', op: 'Abs', domain: '', inputs: [read], outputs: ['y'], attributes: {} }],
    metadata: {},
  });
  const branching = (read: string): Graph => ({
    name: 'branching',
    opsets: { '': 17 },
    inputs: [
      { name: 'x', dtype: 'float32', shape: [2] },
      { name: 'c', dtype: 'bool', shape: [] },
    ],
    outputs: [{ name: 'z', dtype: 'float32' }],
    initializers: [],
    nodes: [
      {
        name: 'if',
        op: 'If',
        domain: '',
        inputs: ['c'],
        outputs: ['z'],
        attributes: {
          then_branch: { kind: 'graph', value: body(read) },
          else_branch: { kind: 'graph', value: { ...body('x'), name: 'else' } },
        },
      },
    ],
    metadata: {},
  });

  it('lets bodies read outer values, and only those that exist', () => {
    expect(problemsOf(branching('x'))).toEqual([]);
    expect(problemsOf(branching('w'))).toEqual([
      'node if (If), body then: node abs (Abs): input w is not defined',
    ]);
  });
});
