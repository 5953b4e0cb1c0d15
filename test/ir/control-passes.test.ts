/** Hash and passes on graphs with nested graphs. */
import { describe, expect, it } from 'vitest';
import { mapSubgraphs } from '../../src/ir/attributes.js';
import { type Graph, withGraph } from '../../src/ir/graph.js';
import { hashGraph } from '../../src/ir/hash.js';
import { shareCommonSubexpressions } from '../../src/ir/pass/common-subexpressions.js';
import { removeDeadNodes } from '../../src/ir/pass/dead-nodes.js';
import { freshNamer } from '../../src/ir/pass/fresh-names.js';
import { parseGraph } from '../../src/ir/text/parse.js';
import { printGraph } from '../../src/ir/text/print.js';
import { graphOf } from './control-graphs.js';

describe('the hash', () => {
  const twoBranches = (then: string, otherwise: string) =>
    graphOf(`branches (float[2] a, float[2] b, bool c) => (float[2] y) {
      y = If (c) <
        then_branch = t () => (float[2] p) { p = ${then} },
        else_branch = e () => (float[2] q) { q = ${otherwise} }
      >
    }`);

  it('tells which branch reads which value', () => {
    const [one, other] = [
      twoBranches('Sub(a, b)', 'Sub(b, a)'),
      twoBranches('Sub(a, b)', 'Sub(a, b)'),
    ];
    expect(hashGraph(one)).not.toBe(hashGraph(other));
  });

  it('ignores names in bodies and the order of attributes', () => {
    const graph = twoBranches('Sub(a, b)', 'Add(a, b)');
    const renamed = parseGraph(printGraph(graph).replaceAll(/\bp\b/g, 'other'));
    const [node] = graph.nodes as [Graph['nodes'][number]];
    const attributes = Object.fromEntries(Object.entries(node.attributes).reverse());
    const turned = withGraph(graph, { nodes: [{ ...node, attributes }] });
    expect(hashGraph(renamed)).toBe(hashGraph(graph));
    expect(hashGraph(turned)).toBe(hashGraph(graph));
  });
});

describe('passes', () => {
  const twice = graphOf(`twice (float[2] x, bool c) => (float[] y, float[] z) {
    a = Relu(x)
    b = Relu(x)
    unused = Neg(x)
    y = If (c) <
      then_branch = t () => (float[] p) { p = Neg(a) }, else_branch = e () => (float[] q) { q = Abs(b) }
    >
    z = If (c) <
      then_branch = t2 () => (float[] p2) { p2 = Exp(a) }, else_branch = e2 () => (float[] q2) { q2 = Abs(b) }
    >
  }`);

  it('keep apart nodes whose bodies differ, and what bodies read', () => {
    const { graph } = shareCommonSubexpressions(twice);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Relu', 'Relu', 'Neg', 'If', 'If']);
    expect(removeDeadNodes(graph).graph.nodes.map(({ op }) => op)).toEqual([
      'Relu',
      'Relu',
      'If',
      'If',
    ]);
  });

  it('give new values names that no body has', () => {
    expect(freshNamer(twice)('p2')).toBe('p2_2');
  });

  it('change bodies of a node and nothing else', () => {
    const node = twice.nodes[3] as Graph['nodes'][number];
    const renamed = mapSubgraphs(node, (body) => ({ ...body, name: `${body.name}!` }));
    expect(Object.keys(renamed.attributes)).toEqual(Object.keys(node.attributes));
    expect(renamed.attributes.then_branch).toMatchObject({ value: { name: 't!' } });
    expect(mapSubgraphs(twice.nodes[0] as typeof node, () => twice)).toBe(twice.nodes[0]);
  });
});
