import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { type Graph, withGraph } from '../../../src/ir/graph.js';
import { hashGraph } from '../../../src/ir/hash.js';
import { shareCommonSubexpressions } from '../../../src/ir/pass/common-subexpressions.js';
import { removeDeadNodes } from '../../../src/ir/pass/dead-nodes.js';
import { type Pass, runPasses } from '../../../src/ir/pass/pass.js';
import { sortNodes } from '../../../src/ir/pass/sort-nodes.js';
import { problemsOf, verify } from '../../../src/ir/verify.js';
import { randomNet } from '../random-net.js';

const passes: Record<string, Pass> = { removeDeadNodes, shareCommonSubexpressions, sortNodes };

describe.each(Object.entries(passes))('%s on random graphs', (_, pass) => {
  it('keeps graphs legal, says whether it changed them, and settles', () => {
    fc.assert(
      fc.property(randomNet, (graph) => {
        verify(graph);
        const { graph: after, changed } = pass(graph);
        expect(problemsOf(after)).toEqual([]);
        expect(after === graph).toBe(!changed);
        expect(after.outputs).toEqual(graph.outputs);
        expect(pass(after).changed).toBe(false);
      }),
      { numRuns: 200, seed: 3 },
    );
  });
});

describe('removeDeadNodes', () => {
  it('keeps the hash and drops what is unused', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'float32', [2]);
    b.input('unread', 'float32', [2]);
    b.op('Mul', [b.op('Exp', [x]), b.scalar(3)]);
    b.output(b.op('Relu', [x], {}, 'y'));
    const { graph, changed } = removeDeadNodes(b.build());
    expect(changed).toBe(true);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Relu']);
    expect(graph.initializers).toEqual([]);
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x', 'unread']);
    expect(hashGraph(graph)).toBe(hashGraph(b.build()));
  });
});

describe('shareCommonSubexpressions', () => {
  const build = (): Graph => {
    const b = new GraphBuilder('g');
    const [x, y] = [b.input('x', 'float32', [2]), b.input('y', 'float32', [2])];
    const one = b.op('Tanh', [b.op('Add', [x, y])]);
    const two = b.op('Tanh', [b.op('Add', [y, x])]);
    const other = b.op('Tanh', [b.op('Sub', [x, y])]);
    b.output(b.op('Sum', [one, two, other], {}, 'sum'));
    return b.build();
  };

  it('shares whole chains, also with commuted operands', () => {
    const { graph, changed } = shareCommonSubexpressions(build());
    expect(changed).toBe(true);
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Add', 'Tanh', 'Sub', 'Tanh', 'Sum']);
    expect(graph.nodes.at(-1)?.inputs).toEqual(['tanh', 'tanh', 'tanh_3']);
  });

  it('keeps the names of outputs, weights apart, and random nodes apart', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'float32', [2, 2]);
    b.output(b.op('Relu', [x], {}, 'first'));
    b.output(b.op('Relu', [x], {}, 'second'));
    b.output(b.op('MatMul', [x, b.weight('w', [2, 2])], {}, 'third'));
    b.op('MatMul', [x, b.weight('w', [2, 2])]);
    const shaped = { shape: [2, 2] };
    for (const op of ['Dropout', 'Bernoulli', 'RandomNormalLike', 'RandomUniformLike'] as const) {
      b.op(op, [x]);
      b.op(op, [x]);
    }
    for (const op of ['RandomNormal', 'RandomUniform'] as const) {
      b.op(op, [], shaped);
      b.op(op, [], shaped);
    }
    b.op('Multinomial', [x]);
    b.op('Multinomial', [x]);
    expect(shareCommonSubexpressions(b.build())).toEqual({ graph: b.build(), changed: false });
  });
});

describe('sortNodes', () => {
  it('orders any shuffle, and refuses a cycle', () => {
    fc.assert(
      fc.property(randomNet, fc.infiniteStream(fc.nat()), (graph, keys) => {
        const keyed = graph.nodes.map((node) => ({ node, key: keys.next().value as number }));
        const nodes = keyed.sort((a, b) => a.key - b.key).map(({ node }) => node);
        const sorted = sortNodes(withGraph(graph, { nodes })).graph;
        expect(problemsOf(sorted)).toEqual([]);
        expect(hashGraph(sorted)).toBe(hashGraph(graph));
      }),
      { numRuns: 100, seed: 4 },
    );
    const b = new GraphBuilder('loop');
    const y = b.op('Relu', [b.op('Tanh', [b.input('x', 'float32', [1])], {}, 'tanh')], {}, 'relu');
    b.output(y);
    const nodes = b.build().nodes.map((n) => (n.name === 'tanh' ? { ...n, inputs: ['relu'] } : n));
    expect(() => sortNodes(withGraph(b.build(), { nodes }))).toThrow('depends on itself');
  });
});

describe('runPasses', () => {
  it('runs them in order and reports any change', () => {
    const b = new GraphBuilder('g');
    const x = b.input('x', 'float32', [2]);
    b.op('Exp', [x]);
    b.output(b.op('Relu', [x], {}, 'y'));
    const once = runPasses(b.build(), [sortNodes, removeDeadNodes]);
    expect(once.changed).toBe(true);
    expect(runPasses(once.graph, [sortNodes, removeDeadNodes]).changed).toBe(false);
  });
});
