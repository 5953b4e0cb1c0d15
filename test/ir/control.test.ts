/** Nested graphs through inference, verification, cost, text and files; run by ONNX Runtime. */
import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { subgraphsOf } from '../../src/ir/attributes.js';
import { inferCost } from '../../src/ir/cost.js';
import { type Graph, withGraph } from '../../src/ir/graph.js';
import { inferScope, inferTypes } from '../../src/ir/infer.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { proto } from '../../src/ir/onnx/proto.js';
import { parseGraph } from '../../src/ir/text/parse.js';
import { printGraph } from '../../src/ir/text/print.js';
import { problemsOf } from '../../src/ir/verify.js';
import { Rng } from '../../src/util/random.js';
import { interpret } from '../reference/interpreter.js';
import { tensor } from '../reference/tensor.js';
import { choosing, graphOf, looping, scanning } from './control-graphs.js';
import { normals, run } from './pass/small-nets.js';

const shapesOf = (graph: Graph) => {
  const types = inferTypes(graph);
  return graph.outputs.map(({ name }) => types.get(name)?.shape);
};

/** A Loop over x [2] whose body turns v into `next`, by default a copy of it. */
const loopOf = (trip: string, condition: string, on2 = 'Identity(on)', next = 'Identity(v)') =>
  graphOf(`loop (float[2] x, int64 m, bool c) => (float[] last, float[] all) <
      int64 five = {5}, int64 zero = {0}, int64 many = {100}, int64 three = {3},
      int64[1] five1 = {5}, int64[1] front = {0}, bool yes = {1}, bool no = {0}
    > {
      last, all = Loop (${trip}, ${condition}, x) <
        body = turn (int64 i, bool on, float[K] v) => (bool on2, float[] n, float[] o) {
          on2 = ${on2}
          at = Unsqueeze(i, front)
          n = ${next}
          o = Neg(x)
        }
      >
    }`);

describe('inference', () => {
  it('joins what the branches of an If agree in; a constant condition chooses', () => {
    expect(shapesOf(choosing('c'))).toEqual([['?', 3]]);
    expect(shapesOf(choosing('yes'))).toEqual([['N', 3]]);
    expect(shapesOf(choosing('no'))).toEqual([['?', 3]]);
    const graph = choosing('no');
    const bodies = inferScope(graph).bodiesOf(graph.nodes[0] as Graph['nodes'][number]);
    expect([...bodies].map(([name, { runs }]) => [name, runs])).toEqual([['else_branch', 1]]);
  });

  it('knows only that ranks differ where branches disagree in them', () => {
    const graph = graphOf(`ranks (float[2] x, bool c) => (float[] y) {
      y = If (c) <
        then_branch = a () => (float[] p) { p = Relu(x) },
        else_branch = b () => (float[] q) { t = Constant <value_ints = [0]> () q = Unsqueeze(x, t) }
      >
    }`);
    expect(inferTypes(graph).get('y')).toEqual({ dtype: 'float32' });
  });

  it.each([
    ['a trip count alone', ['five', '""'], [2], [5, 2]],
    ['a trip count and a condition that stays', ['five', 'yes'], [2], [5, 2]],
    ['a condition that is not known', ['five', 'c'], [2], ['?', 2]],
    ['a condition that changes', ['five', 'yes', 'Not(on)'], [2], [1, 2]],
    ['a condition of the turn', ['m', 'yes', 'Less(i, three)'], [2], ['?', 2]],
    ['a condition of the turn alone', ['""', 'yes', 'Less(i, three)'], [2], [4, 2]],
    ['many turns', ['many', '""', 'Identity(on)', 'Concat <axis = 0> (v, v)'], ['?'], [100, 2]],
    ['parts by the turn', ['five', '""', 'Identity(on)', 'Slice(v, at, five1)'], [0], [5, 2]],
    ['a trip count that is not known', ['m', 'yes'], [2], ['?', 2]],
    ['no turns', ['zero', 'yes', 'Identity(on)', 'Concat <axis = 0> (v, v)'], [2], [0, 2]],
    ['a condition that never held', ['five', 'no'], [2], [0, 2]],
    [
      'a value that grows',
      ['five', '""', 'Identity(on)', 'Concat <axis = 0> (v, v)'],
      [64],
      [5, 2],
    ],
  ] as const)('follows a Loop with %s', (_, [trip, condition, on2, next], last, all) => {
    expect(shapesOf(loopOf(trip, condition, on2, next))).toEqual([last, all]);
  });

  it('counts a single turn as one', () => {
    const graph = loopOf('one', 'yes', 'Not(on)', 'Concat <axis = 0> (v, v)');
    const one = { name: 'one', role: 'constant', dtype: 'int64', dims: [] } as const;
    const data = BigInt64Array.of(1n);
    const initializers = [...graph.initializers, { ...one, data }];
    expect(shapesOf(withGraph(graph, { initializers }))).toEqual([[4], [1, 2]]);
  });

  it('follows axes and lengths of a Scan, symbolic ones too', () => {
    expect(shapesOf(scanning)).toEqual([
      ['N', 4],
      ['N', 2, 'T'],
    ]);
  });

  it('follows the batch axis of a Scan before operator set 9', () => {
    const graph = graphOf(
      `old (float[B, 3] h0, float[B, 7, 3] u) => (float[] h, float[] y) {
        h, y = Scan ("", h0, u) <num_scan_inputs = 1, body = step (float[3] s, float[3] v)
          => (float[] n, float[] o) { n = Add(s, v) o = Neg(n) }>
      }`,
      8,
    );
    expect(shapesOf(graph)).toEqual([
      ['B', 3],
      ['B', 7, 3],
    ]);
  });

  it('a body may call its own value by a name that is in use around it', () => {
    const graph = graphOf(`shadow (float[2] x, bool c) => (float[] y) {
      p = Concat <axis = 0> (x, x)
      y = If (c) <
        then_branch = a () => (float[] p) { p = com.unknown.Mystery(x) },
        else_branch = b () => (float[] q) { q = Relu(x) }
      >
    }`);
    expect(inferTypes(graph).get('y')).toEqual({ dtype: 'float32' });
  });
});

describe('verification', () => {
  it.each([choosing('c'), choosing('yes'), looping, scanning, loopOf('m', 'c')])(
    'finds nothing wrong with $name',
    (graph) => {
      expect(problemsOf(graph)).toEqual([]);
    },
  );

  const inner = (text: string) =>
    graphOf(`outer (float[2, 3] x, bool c) => (float[] y) {
      y = If (c) <then_branch = a () => ${text}, else_branch = b () => (float[] q) { q = Relu(x) }>
    }`);
  it.each<[string, Graph, string]>([
    [
      'a contradiction in a body',
      inner('(float[] p) { p = MatMul(x, x) }'),
      'node y (If), body a: node p (MatMul): ',
    ],
    [
      'an output of another type than declared',
      inner('(float[2, 4] p) { p = Relu(x) }'),
      'node y (If), body a: output p: expected [2,3] as inferred, received [2,4]',
    ],
    [
      'an output too many',
      inner('(float[] p, float[] r) { p = Relu(x) r = Relu(x) }'),
      'node y (If): then_branch expected 1 outputs, received 2',
    ],
    [
      'branches of two element types',
      inner('(int64 p) { p = Shape(x) }'),
      'expected values of one element type, received int64 and float32',
    ],
    [
      'a Loop whose body takes too little',
      graphOf(`few (float x, int64 m) => (float[] y) {
        y = Loop (m, "", x) <body = turn (int64 i, bool on) => (bool on, float[] v) { v = Neg(x) }>
      }`),
      'node y (Loop): body turn: expected 3 inputs, received 2',
    ],
    [
      'sequences of two lengths',
      graphOf(`lengths (float[3] u, float[4] v) => (float[] y) {
        y = Scan (u, v) <num_scan_inputs = 2, body = s (float a, float b) => (float[] o) { o = Add(a, b) }>
      }`),
      'expected inputs of one length, received 3 and 4',
    ],
  ])('names %s', (_, graph, problem) => {
    expect(problemsOf(graph).join('\n')).toContain(problem);
  });

  it('asks nothing of a branch that is never taken', () => {
    const graph = graphOf(`never (float[2, 3] x) => (float[] y) <bool no = {0}> {
      y = If (no) <
        then_branch = a () => (float[] p) { p = MatMul(x, x) },
        else_branch = b () => (float[] q) { q = Relu(x) }
      >
    }`);
    expect(problemsOf(graph)).toEqual([]);
  });
});

describe('cost', () => {
  it('counts bodies as often as they run, and the dearer branch', () => {
    expect(inferCost(looping).macs).toBe(5 * 2 * 3 * 3);
    expect(inferCost(looping).unknownOps).toEqual([]);
    expect(inferCost(scanning, { N: 2, T: 6 }).macs).toBe(6 * 2 * 4 * 2);
    expect(inferCost(choosing('c'), { N: 7 }).macs).toBe(7 * 3 * 3);
    expect(inferCost(choosing('yes'), { N: 7 }).macs).toBe(7 * 3 * 3);
    expect(inferCost(choosing('no'), { N: 7 }).macs).toBe(0);
  });

  it('says where it is not known how often a body runs', () => {
    expect(inferCost(loopOf('m', '""')).unknownOps).toEqual(['Loop']);
  });

  it('holds the values of a body beside those around it', () => {
    // Of the Loop: x, both outputs, and within a turn h and p (Tanh writes over p).
    const [state, all] = [4 * 6, 4 * 30];
    const turn = { number: 8, condition: 1 };
    const expected = state + state + all + (turn.number + turn.condition + state + state);
    expect(inferCost(looping).activationPeakBytes).toBe(expected);
  });

  it('counts stored tensors in bodies', () => {
    const graph = graphOf(`stored (float[2] x, bool c) => (float[] y) {
      y = If (c) <
        then_branch = a () => (float[] p) <float[2] w = {1, 2}> { p = Add(x, w) },
        else_branch = b () => (float[] q) { k = Constant <value_float = 2.0> () q = Mul(x, k) }
      >
    }`);
    expect(inferCost(graph).weightsBytes).toBe(8 + 4);
  });
});

describe.each([choosing('c'), looping, scanning])('$name', (graph) => {
  it('reads back from text and from a file as it was', () => {
    expect(parseGraph(printGraph(graph))).toEqual(graph);
    expect(decodeModel(encodeModel(graph))).toEqual(graph);
  });

  it('is in ONNX Runtime what the reference says', async () => {
    const rng = new Rng(graph.name);
    const dims: Readonly<Record<string, readonly number[]>> = {
      x: [2, 3],
      u: [2, 5, 4],
      h0: [2, 4],
    };
    const floats = graph.inputs.filter(({ dtype }) => dtype === 'float32');
    const data = floats.map(({ name }) => {
      const size = dims[name] as readonly number[];
      return [
        name,
        normals(
          rng,
          size.reduce((a, b) => a * b),
        ),
        size,
      ] as const;
    });
    for (const condition of [0, 1]) {
      const feeds = Object.fromEntries(
        data.map(([name, values, size]) => [name, new Tensor('float32', values, [...size])]),
      );
      const chosen = { c: new Tensor('bool', Uint8Array.of(condition), []) };
      const wanted = graph.inputs.some(({ name }) => name === 'c') ? chosen : {};
      const actual = await run(graph, { ...feeds, ...wanted });
      const reference = interpret(graph, {
        ...Object.fromEntries(data.map(([name, values, size]) => [name, tensor(size, values)])),
        c: tensor([], [condition]),
      });
      for (const { name } of graph.outputs) {
        const expected = reference.get(name);
        expect(actual[name]?.dims).toEqual(expected?.dims);
        expected?.data.forEach((value, i) => {
          expect(Number(actual[name]?.data[i])).toBeCloseTo(value, 4);
        });
      }
    }
  });
});

describe('decoding', () => {
  it('finds the element types of outputs that the bodies of loops leave out', () => {
    for (const graph of [looping, scanning]) {
      const model = proto.ModelProto.decode(encodeModel(graph));
      for (const node of model.graph?.node ?? []) {
        for (const attribute of node.attribute ?? []) {
          for (const output of attribute.g?.output ?? []) output.type = null;
        }
      }
      const bytes = new Uint8Array(proto.ModelProto.encode(model).finish());
      const typesOf = (all: Graph) =>
        all.nodes
          .flatMap(subgraphsOf)
          .flatMap(({ outputs }) => outputs.map((o) => [o.name, o.dtype]));
      expect(typesOf(decodeModel(bytes))).toEqual(typesOf(graph));
    }
  });
});
