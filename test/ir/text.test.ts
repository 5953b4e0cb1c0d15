import { deepStrictEqual } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArchwrightError, UsageError } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, withGraph } from '../../src/ir/graph.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { inferRoles, withRoles } from '../../src/ir/onnx/roles.js';
import { parseGraph } from '../../src/ir/text/parse.js';
import { printGraph } from '../../src/ir/text/print.js';
import { graphs } from './onnx-graphs.js';

const header = '<ir_version: 8, opset_import: ["" : 17]>';

/** A net with one weight that has data and one that has none. */
function sample(): Graph {
  const b = new GraphBuilder('tiny');
  const image = b.input('image', 'float32', ['N', 1, 28, 28]);
  const bias = new Float32Array([0.5, -1e-7]);
  b.initializer({ name: 'bias', role: 'weight', dtype: 'float32', dims: [2], data: bias });
  const maps = b.op(
    'Conv',
    [image, b.weight('kernel', [2, 1, 3, 3]), 'bias'],
    { pads: [1, 1, 1, 1] },
    'maps',
  );
  b.output(b.op('LeakyRelu', [maps], { alpha: 0.2 }), 'logits');
  return b.build({ author: 'A "B" \\ C' });
}

const sampleText = `<
  ir_version: 8,
  opset_import: ["" : 17],
  metadata_props: ["author": "A \\"B\\" \\\\ C"]
>
tiny (float[N, 1, 28, 28] image) => (float[N, 2, 28, 28] logits) <
  float[2] bias = {0.5, -1e-7},
  float[2, 1, 3, 3] kernel
> {
  maps = Conv <pads: ints = [1, 1, 1, 1]> (image, kernel, bias)
  leakyrelu = LeakyRelu <alpha: float = 0.2> (maps)
  ["logits.out"] logits = Identity (leakyrelu)
}
`;

describe('print and parse', () => {
  it('are each other’s inverse on random graphs', () => {
    fc.assert(
      fc.property(graphs({ absentData: true }), (graph) => {
        const text = printGraph(graph);
        deepStrictEqual(parseGraph(text), graph);
        expect(printGraph(parseGraph(text))).toBe(text);
      }),
      { numRuns: 150 },
    );
  });

  it('write the syntax as ONNX documents it', () => {
    expect(printGraph(sample())).toBe(sampleText);
    deepStrictEqual(parseGraph(sampleText), sample());
  });

  it('make the name of a nested graph an identifier', () => {
    const nest = (name: string): Graph => {
      const graph = parseGraph(`${header} g (bool c) => (float y) {
        y = If (c) <then_branch = a () => (float p) { p = K () }>
      }`);
      const [node] = graph.nodes;
      const branch = node?.attributes.then_branch;
      if (node === undefined || branch?.kind !== 'graph') throw new Error('expected a branch');
      const value = withGraph(branch.value, { name });
      return withGraph(graph, {
        nodes: [{ ...node, attributes: { then_branch: { kind: 'graph', value } } }],
      });
    };
    const nameOf = (graph: Graph) => {
      const branch = graph.nodes[0]?.attributes.then_branch;
      return branch?.kind === 'graph' ? branch.value.name : undefined;
    };
    const reread = (name: string) => nameOf(parseGraph(printGraph(nest(name))));
    expect(reread('body')).toBe('body');
    expect(reread('torch-jit-export')).toBe('torch_jit_export');
    expect(reread('float')).toBe('_float');
    expect(reread('inf')).toBe('_inf');
    expect(reread('7')).toBe('_7');
  });

  it('refuse what the syntax cannot hold', () => {
    const graph = parseGraph(`${header} g (float x) => (float y) { y = Relu (x) }`);
    const [node] = graph.nodes;
    if (node === undefined) throw new Error('expected a node');
    const odd = withGraph(graph, { nodes: [{ ...node, op: 'Re-lu' }] });
    expect(() => printGraph(odd)).toThrow(ArchwrightError);
    expect(() => printGraph(odd)).toThrow(/node y \(Re-lu\): the ONNX text cannot hold "Re-lu"/);
  });
});

describe('parse', () => {
  it('reads what people write: comments, untyped attributes, defaults of inputs, value infos', () => {
    const graph = parseGraph(
      `
      # a comment with "quotes" and {braces}
      <ir_version: 7, producer_name: "someone", opset_import: ["ai.onnx" : 13, "com.x": 2]>
      net (float[N, "a dim"] a) => (float[N] y) { }`,
    );
    expect(graph.opsets).toEqual({ '': 13, 'com.x': 2 });
    expect(graph.inputs).toEqual([{ name: 'a', dtype: 'float32', shape: ['N', 'a dim'] }]);

    const { nodes, initializers, inputs } = parseGraph(`${header}
      net (float[N, 4] x, float[4, 2] w = {1, 2, 3, 4, 5, 6, 7, 8}) => (float[N, 2] y)
      <float[N, 2] t, float[2] b = {0.25, inf}, int64 n = {-9223372036854775808}>
      {
        t = MatMul (x, w)   # typed above
        [the_sum] y = com.x.Add <i = 3, f = 1.5, s = "text", l = [1, -2], g = [1, 2.5], e: ints = [],
          m = ["a", "b"], v = float[2] {1.0, nan}, h: float = 2, k = inf, t = int8 name = {-1}> (t, b)
        q, , r = Split (y, , n)
        u = Op (x) <last = 1>
      }`);
    expect(inputs.map(({ name }) => name)).toEqual(['x']);
    expect(initializers.map(({ name, role, dims }) => [name, role, dims])).toEqual([
      ['w', 'weight', [4, 2]],
      ['b', 'constant', [2]],
      ['n', 'constant', []],
    ]);
    expect(initializers[1]?.data).toEqual(new Float32Array([0.25, Number.POSITIVE_INFINITY]));
    expect(initializers[2]?.data).toEqual(new BigInt64Array([-(2n ** 63n)]));
    expect(nodes.map(({ name }) => name)).toEqual(['t', 'the_sum', 'q', 'u']);
    expect(nodes[1]).toMatchObject({ domain: 'com.x', op: 'Add' });
    expect(nodes[1]?.attributes).toEqual({
      i: { kind: 'int', value: 3 },
      f: { kind: 'float', value: 1.5 },
      s: { kind: 'string', value: 'text' },
      l: { kind: 'ints', value: [1, -2] },
      g: { kind: 'floats', value: [1, 2.5] },
      e: { kind: 'ints', value: [] },
      m: { kind: 'strings', value: ['a', 'b'] },
      v: {
        kind: 'tensor',
        value: { dtype: 'float32', dims: [2], data: new Float32Array([1, Number.NaN]) },
      },
      h: { kind: 'float', value: 2 },
      k: { kind: 'float', value: Number.POSITIVE_INFINITY },
      t: { kind: 'tensor', value: { dtype: 'int8', dims: [], data: new Int8Array([-1]) } },
    });
    expect(nodes[2]).toMatchObject({ inputs: ['y', '', 'n'], outputs: ['q', '', 'r'] });
    expect(nodes[3]?.attributes.last).toEqual({ kind: 'int', value: 1 });
  });

  const body = (nodes: string, initializers = '') =>
    `${header}\ng (float[N] x) => (float[N] y) ${initializers} {\n${nodes}\n}`;
  const refused: readonly [string, string][] = [
    [
      '',
      'line 1:1: expected a header such as <ir_version: 8, opset_import: ["" : 17]>, received the end of the text',
    ],
    ['g () => () {}', "received 'g'"],
    ['<ir_version: 8> g () => () {}', 'line 1:1: expected a header with opset_import'],
    ['<ir_version: 8, colour: 3>', 'line 1:17: expected ir_version, opset_import, metadata_props'],
    ['<opset_import: ["" : "x"]>', 'line 1:22: expected an operator set version'],
    [`${header} "open`, 'line 1:47: expected a closing quote, received the end of the text'],
    [body('y = Relu (x'), "line 4:1: expected ',' or ')', received '}'"],
    [body('y = Relu x'), "line 3:10: expected '<' or '(', received 'x'"],
    [body('y == Relu (x)'), "line 3:4: expected an operator, received '='"],
    [body('Relu (x)'), "line 3:6: expected ',' or '=', received '('"],
    [body('y = Op <a> (x)'), "line 3:10: expected ':' or '=', received '>'"],
    [body('y = Op <a: number = 1> (x)'), 'line 3:12: expected an attribute type of int, float'],
    [body('y = Op <a: int = 1.5> (x)'), 'line 3:18: expected a value of type int, received float'],
    [body('y = Op <a: ints = 1> (x)'), 'line 3:19: expected a value of type ints, received int'],
    [body('y = Op <a = []> (x)'), 'line 3:13: expected a type before an empty list'],
    [
      body('y = Op <a = [1, "b"]> (x)'),
      'line 3:13: expected a value of type ints, floats or strings',
    ],
    [body('y = Op <a = 1, a = 2> (x)'), 'line 3:16: expected each attribute once'],
    [body('y = Op <a = 9223372036854775808> (x)'), 'line 3:13: expected an int64'],
    [body('y = Op <a = @b> (x)'), "line 3:13: expected a value, received '@'"],
    [body('y = Relu (x)', '<float[2] w = {1}>'), 'line 2:46: expected 2 elements, received 1'],
    [
      body('y = Relu (x)', '<float[N] w = {1}>'),
      'line 2:33: expected a type with dimensions that are numbers, received dimension N',
    ],
    [
      body('y = Relu (x)', '<float[] w>'),
      'line 2:33: expected a type with dimensions that are numbers, received an unknown rank',
    ],
    [body('y = Relu (x)', '<uint8 w = {256}>'), 'line 2:44: expected uint8 from 0 to 255'],
    [body('y = Relu (x)', '<int8 w = {1.5}>'), "line 2:43: expected an integer, received '1.5'"],
    [body('y = Relu (x)', '<string w = {"a"}>'), 'line 2:33: expected a type of float, double'],
    [body('y = Relu (x)', '<float w = ["location": "f"]>'), 'external data is not supported yet'],
    [
      body('y = Relu (x)', '<int64 w>').replace(
        'Relu (x)',
        'If (x) <b = n () => (int64 z) <int64 w> {}>',
      ),
      'expected a nested graph with data for w',
    ],
    [
      `${body('y = Relu (x)')} f (a) => (b) {}`,
      'expected the end of the text (functions are not supported)',
    ],
  ];

  it.each(refused)('refuses %j in one line', (text, message) => {
    expect(() => parseGraph(text)).toThrow(UsageError);
    expect(() => parseGraph(text)).toThrow(message);
    expect(() => parseGraph(text)).not.toThrow(/\n/);
  });

  it('never fails in another way, whatever is cut or put in', () => {
    fc.assert(
      fc.property(graphs(), fc.nat(), fc.string(), (graph, position, noise) => {
        const text = printGraph(graph);
        const at = position % text.length;
        for (const damaged of [text.slice(0, at), text.slice(0, at) + noise + text.slice(at + 1)]) {
          try {
            parseGraph(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('parse, on long texts', () => {
  it('takes time in proportion to their length, also where a quote never closes', () => {
    const long = 'a'.repeat(200_000);
    expect(() => parseGraph(`${header} "${long}\\"${long}`)).toThrow('expected a closing quote');
    const text = `<doc_string: "${'a\\"'.repeat(100_000)}", opset_import: ["" : 17]>
      ${' '.repeat(200_000)} #${long}
      g (float x) => (float y) { ${'# more\n'.repeat(50_000)} y = Relu (x) }`;
    expect(parseGraph(text).metadata.doc_string).toBe('a"'.repeat(100_000));
  }, 5_000);
});

const python = '/usr/bin/python3';
const hasOnnx = spawnSync(python, ['-c', 'import onnx.parser']).status === 0;
if (!hasOnnx) console.warn(`SKIPPED: onnx.parser; ${python} has no package onnx`);

/** Models as ONNX's own parser reads these texts. */
function parseWithOnnx(texts: readonly string[]): Buffer[] {
  const script = `
import base64, json, sys, onnx.parser
for text in json.load(sys.stdin):
    model = onnx.parser.parse_model(text)
    print(base64.b64encode(model.SerializeToString()).decode())
`;
  const { stdout, stderr } = spawnSync(python, ['-c', script], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect(stderr).toBe('');
  return stdout
    .trim()
    .split('\n')
    .map((line) => Buffer.from(line, 'base64'));
}

describe.skipIf(!hasOnnx)('ONNX’s own parser', () => {
  it('reads our text as the graph that it stands for', () => {
    // What ONNX 1.12 reads: no quoted names, no 16-bit floats, no escapes (as in the roles' JSON).
    const plain = graphs({
      oddNames: false,
      oddValues: false,
      dtypes: ['float32', 'float64', 'int8', 'int32', 'int64', 'uint8', 'uint64', 'bool'],
    }).map((graph) =>
      withGraph(graph, { initializers: withRoles(graph.initializers, inferRoles(graph)) }),
    );
    const samples = fc.sample(plain, { numRuns: 60, seed: 1 });
    expect(samples.some(({ nodes }) => nodes.length > 6)).toBe(true);
    const models = parseWithOnnx(samples.map(printGraph));
    expect(models.length).toBe(samples.length);
    models.forEach((bytes, i) => {
      deepStrictEqual(decodeModel(bytes), samples[i]);
    });
  });

  it('reads a weight without data as a value info', () => {
    const text = `${header} g (float[1, 2] x) => (float[1, 2] y) <float[2, 2] w> { y = MatMul (x, w) }`;
    const [weight] = parseGraph(text).initializers;
    expect(weight).toEqual({ name: 'w', role: 'weight', dtype: 'float32', dims: [2, 2] });
    expect(printGraph(parseGraph(text)).replace(/\s+/g, ' ').trim()).toContain('< float[2, 2] w >');
    const [model] = parseWithOnnx([printGraph(parseGraph(text))]);
    expect(decodeModel(model ?? new Uint8Array()).initializers).toEqual([]);
  });
});
