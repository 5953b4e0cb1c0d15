import { GraphBuilder } from '../../../src/ir/builder.js';
import { type Graph, withGraph } from '../../../src/ir/graph.js';

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
