import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import onnxProto, { type onnx } from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { ArchwrightError, UsageError } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, type Initializer, withGraph } from '../../src/ir/graph.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { shortestFloat32, uniqueNodeNames } from '../../src/ir/onnx/header.js';
import { ROLES_KEY } from '../../src/ir/onnx/roles.js';
import type { TensorData } from '../../src/util/tensor.js';
import { graphs } from './onnx-graphs.js';

const { ModelProto, TensorProto } = onnxProto.onnx;

/** A model of one Identity; `change` alters the message before it is written. */
function modelBytes(change: (model: onnx.IModelProto) => void = () => {}): Uint8Array {
  const type = { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 }] } } };
  const model: onnx.IModelProto = {
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'g',
      node: [{ name: 'n', opType: 'Identity', input: ['x'], output: ['y'] }],
      input: [{ name: 'x', type }],
      output: [{ name: 'y', type }],
      initializer: [],
    },
  };
  change(model);
  return ModelProto.encode(ModelProto.create(model)).finish();
}

function graphOf(model: onnx.IModelProto): onnx.IGraphProto {
  if (!model.graph) throw new Error('expected a graph');
  return model.graph;
}

/** The graph of a model that has this initializer. */
function withTensor(tensor: onnx.ITensorProto): Graph {
  return decodeModel(modelBytes((model) => graphOf(model).initializer?.push(tensor)));
}

function withAttribute(attribute: onnx.IAttributeProto): Graph {
  return decodeModel(
    modelBytes((model) => {
      const [node] = graphOf(model).node ?? [];
      if (node) node.attribute = [attribute];
    }),
  );
}

describe('encode and decode', () => {
  it('are each other’s inverse on random graphs', () => {
    fc.assert(
      fc.property(graphs(), (graph) => {
        const bytes = encodeModel(graph);
        deepStrictEqual(decodeModel(bytes), graph);
        deepStrictEqual(encodeModel(graph), bytes);
      }),
      { numRuns: 150 },
    );
  });

  it('write the header that runtimes expect', () => {
    const builder = new GraphBuilder('net');
    builder.output(builder.op('Relu', [builder.input('x', 'float32', ['N', 3])]), 'y');
    const graph = builder.build({ author: 'someone', doc_string: 'What it is.' });
    const model = ModelProto.decode(encodeModel(graph));
    expect(Number(model.irVersion)).toBe(8);
    expect(model.producerName).toBe('archwright');
    expect(model.docString).toBe('What it is.');
    expect(model.metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ['author', 'someone'],
    ]);
    expect(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([
      ['', 17],
    ]);
    expect(model.graph?.valueInfo).toEqual([]);
    deepStrictEqual(decodeModel(encodeModel(graph)), graph);
  });

  it('keeps the last int64, which means "to the end"', () => {
    const max = 2n ** 63n - 1n;
    const graph = withAttribute({ name: 'ends', type: 7, ints: [2 ** 53 - 1, -1] });
    const [node] = graph.nodes;
    const ends = { kind: 'ints' as const, value: [2 ** 63, -(2 ** 63), 5] };
    const changed = withGraph(graph, {
      nodes: node === undefined ? [] : [{ ...node, attributes: { ends } }],
    });
    const message = ModelProto.decode(encodeModel(changed)).graph?.node?.[0]?.attribute?.[0];
    expect(message?.ints?.map((i) => BigInt(String(i)))).toEqual([max, -max - 1n, 5n]);
    deepStrictEqual(decodeModel(encodeModel(changed)), changed);
  });

  it('names the weight that has no data', () => {
    const builder = new GraphBuilder('net');
    const x = builder.input('x', 'float32', [1, 2]);
    builder.output(builder.op('MatMul', [x, builder.weight('w', [2, 2])]), 'y');
    const graph = builder.build();
    expect(() => encodeModel(graph)).toThrow(ArchwrightError);
    expect(() => encodeModel(graph)).toThrow(
      'weight w: expected data to encode, received none; draw the weights first',
    );
  });
});

describe('decode', () => {
  const typed: readonly [string, onnx.ITensorProto, TensorData][] = [
    ['float32', { dataType: 1, floatData: [1.5, -2] }, new Float32Array([1.5, -2])],
    ['float64', { dataType: 11, doubleData: [0.1, 2] }, new Float64Array([0.1, 2])],
    ['int8', { dataType: 3, int32Data: [-128, 127] }, new Int8Array([-128, 127])],
    ['uint8', { dataType: 2, int32Data: [0, 255] }, new Uint8Array([0, 255])],
    ['int16', { dataType: 5, int32Data: [-32768, 1] }, new Int16Array([-32768, 1])],
    ['uint16', { dataType: 4, int32Data: [65535, 1] }, new Uint16Array([65535, 1])],
    ['int32', { dataType: 6, int32Data: [-(2 ** 31), 1] }, new Int32Array([-(2 ** 31), 1])],
    ['uint32', { dataType: 12, uint64Data: [2 ** 32 - 1, 1] }, new Uint32Array([2 ** 32 - 1, 1])],
    ['int64', { dataType: 7, int64Data: [-5, 2 ** 40] }, new BigInt64Array([-5n, 2n ** 40n])],
    ['uint64', { dataType: 13, uint64Data: [7, 2 ** 50] }, new BigUint64Array([7n, 2n ** 50n])],
    ['bool', { dataType: 9, int32Data: [1, 0] }, new Uint8Array([1, 0])],
    ['float16', { dataType: 10, int32Data: [0x3c00, 0xc000] }, new Uint16Array([0x3c00, 0xc000])],
    ['bfloat16', { dataType: 16, int32Data: [0x3f80, 0] }, new Uint16Array([0x3f80, 0])],
  ];

  it.each(typed)('reads %s from its typed field', (dtype, tensor, data) => {
    const graph = withTensor({ name: 't', dims: [2], ...tensor });
    const expected: Initializer = {
      name: 't',
      role: 'constant',
      dtype: dtype as Initializer['dtype'],
      dims: [2],
      data,
    };
    deepStrictEqual(graph.initializers, [expected]);
    deepStrictEqual(decodeModel(encodeModel(graph)), graph);
  });

  it('reads raw data as little-endian, and scalars', () => {
    const raw = (dataType: number, bytes: number[]) =>
      withTensor({ name: 't', dataType, dims: [], rawData: Uint8Array.from(bytes) })
        .initializers[0];
    expect(raw(6, [1, 2, 0, 0])?.data).toEqual(new Int32Array([513]));
    expect(raw(1, [0, 0, 128, 63])).toMatchObject({ dims: [], data: new Float32Array([1]) });
    expect(raw(7, [255, 255, 255, 255, 255, 255, 255, 127])?.data).toEqual(
      new BigInt64Array([2n ** 63n - 1n]),
    );
  });

  it('infers the type of attributes that old files leave out', () => {
    const kindOf = (attribute: onnx.IAttributeProto) =>
      withAttribute({ name: 'a', ...attribute }).nodes[0]?.attributes.a;
    expect(kindOf({ i: 0 })).toEqual({ kind: 'int', value: 0 });
    expect(kindOf({ f: 0.5 })).toEqual({ kind: 'float', value: 0.5 });
    expect(kindOf({ s: Buffer.from('é') })).toEqual({ kind: 'string', value: 'é' });
    expect(kindOf({ ints: [1, -2] })).toEqual({ kind: 'ints', value: [1, -2] });
    expect(kindOf({ floats: [1e-5] })).toEqual({ kind: 'floats', value: [1e-5] });
    expect(kindOf({ strings: [Buffer.from('b')] })).toEqual({ kind: 'strings', value: ['b'] });
    expect(kindOf({ t: { dataType: 1, dims: [], floatData: [2] } })).toMatchObject({
      kind: 'tensor',
      value: { dtype: 'float32', dims: [] },
    });
  });

  it('takes initializers out of the inputs, as files before IR version 4 list them there', () => {
    const bytes = modelBytes((model) => {
      model.irVersion = 3;
      graphOf(model).input?.push({ name: 'w', type: { tensorType: { elemType: 1 } } });
      graphOf(model).initializer?.push({ name: 'w', dataType: 1, dims: [1], floatData: [3] });
    });
    const graph = decodeModel(bytes);
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(graph.initializers.map(({ name }) => name)).toEqual(['w']);
  });

  it('keeps unknown operators and domains, and reads ai.onnx as ONNX’s own', () => {
    const graph = decodeModel(
      modelBytes((model) => {
        model.opsetImport = [
          { domain: 'ai.onnx', version: 12 },
          { domain: 'com.example', version: 3 },
        ];
        graphOf(model).node = [
          { opType: 'Frobnicate', domain: 'com.example', input: ['x', ''], output: ['t'] },
          { opType: 'Relu', domain: 'ai.onnx', input: ['t'], output: ['y'] },
        ];
      }),
    );
    expect(graph.opsets).toEqual({ '': 12, 'com.example': 3 });
    expect(graph.nodes.map(({ name, op, domain }) => [name, op, domain])).toEqual([
      ['t', 'Frobnicate', 'com.example'],
      ['y', 'Relu', ''],
    ]);
    expect(graph.nodes[0]?.inputs).toEqual(['x', '']);
  });

  it('reads unknown and negative dimensions as unknown', () => {
    const graph = decodeModel(
      modelBytes((model) => {
        const dim = [{}, { dimValue: -1 }, { dimParam: '' }, { dimParam: 'N' }, { dimValue: 0 }];
        graphOf(model).input = [
          { name: 'x', type: { tensorType: { elemType: 1, shape: { dim } } } },
        ];
        graphOf(model).output = [{ name: 'y', type: { tensorType: { elemType: 1 } } }];
      }),
    );
    expect(graph.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['?', '?', '?', 'N', 0] }]);
    expect(graph.outputs).toEqual([{ name: 'y', dtype: 'float32' }]);
  });

  it('gives every node a name of its own', () => {
    const node = (name: string, ...outputs: string[]) => ({ name, op: 'Op', outputs });
    expect(
      uniqueNodeNames([node('', 'y'), node('y'), node('y'), node('', 'z'), node(''), node('', '')]),
    ).toEqual(['y_2', 'y', 'y_3', 'z', 'Op', 'Op_2']);
  });
});

describe('roles of initializers', () => {
  function rolesOf(graph: Graph): Record<string, string> {
    return Object.fromEntries(graph.initializers.map(({ name, role }) => [name, role]));
  }

  function sample(): Graph {
    const data = (count: number) => Float32Array.from({ length: count }, (_, i) => i + 1);
    const tensor = (name: string, ...dims: number[]): Initializer => {
      const count = dims.reduce((product, dim) => product * dim, 1);
      return { name, role: 'constant', dtype: 'float32', dims, data: data(count) };
    };
    const b = new GraphBuilder('net');
    const add = (name: string, ...dims: number[]) => b.initializer(tensor(name, ...dims));
    let x = b.input('x', 'float32', [1, 2, 4, 4]);
    x = b.op('Conv', [x, add('conv.w', 2, 2, 1, 1), add('conv.b', 2)]);
    const statistics = ['scale', 'shift', 'mean', 'variance'].map((name) => add(name, 2));
    x = b.op('BatchNormalization', [x, ...statistics]);
    x = b.op('Mul', [x, add('gain', 1)]);
    x = b.op('Reshape', [x, b.ints([1, 32])]);
    x = b.op('Add', [b.op('MatMul', [x, add('fc.w', 32, 3)]), add('fc.b', 3)]);
    x = b.op('Add', [x, add('offset', 3)]);
    b.output(x, 'y');
    return b.build();
  }

  const inferred = {
    'conv.w': 'weight',
    'conv.b': 'weight',
    scale: 'weight',
    shift: 'weight',
    mean: 'state',
    variance: 'state',
    gain: 'constant',
    ints: 'constant',
    'fc.w': 'weight',
    'fc.b': 'weight',
    offset: 'constant',
  };

  it('are inferred from the consumers in files from elsewhere', () => {
    const bytes = encodeModel(sample());
    const message = ModelProto.decode(bytes);
    message.metadataProps = [];
    expect(rolesOf(decodeModel(ModelProto.encode(message).finish()))).toEqual(inferred);
  });

  it('travel in the metadata where inference would be wrong, and only there', () => {
    const graph = withGraph(sample(), {
      initializers: sample().initializers.map((initializer) => ({
        ...initializer,
        role: initializer.name === 'gain' ? 'weight' : rolesInferred(initializer.name),
      })),
    });
    const properties = ModelProto.decode(encodeModel(graph)).metadataProps;
    expect(properties.map(({ key, value }) => [key, value])).toEqual([
      [ROLES_KEY, '{"gain":"weight"}'],
    ]);
    expect(rolesOf(decodeModel(encodeModel(graph)))).toEqual({ ...inferred, gain: 'weight' });
    expect(decodeModel(encodeModel(graph)).metadata).toEqual({});
  });

  it('are refused in one line where the metadata is damaged', () => {
    const decodeWith = (roles: string) => () =>
      decodeModel(
        modelBytes((model) => {
          model.metadataProps = [{ key: ROLES_KEY, value: roles }];
        }),
        'a.onnx',
      );
    expect(decodeWith('{')).toThrow(
      'a.onnx: metadata archwright.roles: expected JSON, received "{"',
    );
    expect(decodeWith('[]')).toThrow('expected a JSON object, received "[]"');
    expect(decodeWith('{"x":"hero"}')).toThrow(
      'x expected weight, state or constant, received hero',
    );
  });

  function rolesInferred(name: string): Initializer['role'] {
    return inferred[name as keyof typeof inferred] as Initializer['role'];
  }
});

describe('bytes that are no ONNX model', () => {
  const valid = modelBytes();
  const cases: readonly [string, Uint8Array, RegExp][] = [
    [
      'empty',
      new Uint8Array(),
      /expected an ONNX model, received a\.onnx \(0 bytes\): it is empty/,
    ],
    [
      'text',
      Buffer.from('<html><body>Not found</body></html>'),
      /expected an ONNX model, received a\.onnx/,
    ],
    [
      'noise',
      Uint8Array.from({ length: 500 }, (_, i) => (i * 197 + 13) & 255),
      /expected an ONNX model/,
    ],
    ['zeros', new Uint8Array(64), /expected an ONNX model/],
    ['a PNG', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), /expected an ONNX model/],
    ['cut off', valid.subarray(0, valid.length - 3), /expected an ONNX model/],
    [
      'a tensor',
      TensorProto.encode({ dims: [2], dataType: 1, floatData: [1, 2] }).finish(),
      /expected an ONNX model/,
    ],
    ['without graph', modelBytes((m) => delete m.graph), /it has no graph/],
    ['without opset', modelBytes((m) => delete m.opsetImport), /it has no opset_import/],
  ];

  it.each(cases)('%s: one line that says so', (_, bytes, message) => {
    expect(() => decodeModel(bytes, 'a.onnx')).toThrow(UsageError);
    expect(() => decodeModel(bytes, 'a.onnx')).toThrow(message);
    expect(() => decodeModel(bytes, 'a.onnx')).not.toThrow(/\n/);
  });

  it('never crash in another way, wherever a file is cut or hit', () => {
    fc.assert(
      fc.property(graphs(), fc.nat(), fc.nat(255), (graph, position, value) => {
        const bytes = encodeModel(graph);
        const hit = bytes.slice();
        hit[position % hit.length] = value;
        for (const damaged of [hit, bytes.subarray(0, position % bytes.length)]) {
          try {
            decodeModel(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('what a Graph cannot hold', () => {
  const tensor = (change: onnx.ITensorProto) => () =>
    withTensor({ name: 't', dataType: 1, dims: [2], floatData: [1, 2], ...change });
  const cases: readonly [string, () => Graph, RegExp][] = [
    [
      'external data',
      tensor({ dataLocation: 1, externalData: [{ key: 'location', value: 'w.bin' }] }),
      /initializer t: .* external data, which is not supported yet/,
    ],
    [
      'strings',
      tensor({ dataType: 8 }),
      /initializer t: expected an element type of .*; received string/,
    ],
    ['complex numbers', tensor({ dataType: 14 }), /received complex64/],
    [
      'int4 of a wrong length',
      tensor({ dataType: 22, rawData: new Uint8Array(2) }),
      /expected 1 bytes, received 2/,
    ],
    ['wrong raw length', tensor({ rawData: new Uint8Array(7) }), /expected 8 bytes, received 7/],
    ['wrong count', tensor({ floatData: [1] }), /expected 2 elements, received 1/],
    [
      'sparse tensors',
      () => decodeModel(modelBytes((m) => Object.assign(graphOf(m), { sparseInitializer: [{}] }))),
      /received a sparse one/,
    ],
    [
      'tensor lists',
      () => withAttribute({ name: 'a', type: 9 }),
      /attribute a: .* received tensors/,
    ],
    ['no attribute value', () => withAttribute({ name: 'a' }), /received undefined/],
    ['references', () => withAttribute({ name: 'a', refAttrName: 'b' }), /received a reference/],
    ['bytes as text', () => withAttribute({ name: 'a', s: Uint8Array.of(255) }), /expected UTF-8/],
    [
      'sequences',
      () =>
        decodeModel(
          modelBytes((m) =>
            Object.assign(graphOf(m), { input: [{ name: 'x', type: { sequenceType: {} } }] }),
          ),
        ),
      /value x: expected a tensor type, received sequenceType/,
    ],
    [
      'functions',
      () => decodeModel(modelBytes((m) => Object.assign(m, { functions: [{ name: 'f' }] }))),
      /local functions/,
    ],
  ];

  it.each(cases)('%s: one line that says so', (_, attempt, message) => {
    expect(attempt).toThrow(UsageError);
    expect(attempt).toThrow(message);
  });
});

describe('shortestFloat32', () => {
  it('gives a number of the same float32 with the fewest digits', () => {
    expect(shortestFloat32(Math.fround(1e-5))).toBe(1e-5);
    expect(shortestFloat32(Math.fround(0.1))).toBe(0.1);
    expect(shortestFloat32(16777216)).toBe(16777216);
    expect(Object.is(shortestFloat32(-0), -0)).toBe(true);
    fc.assert(
      fc.property(fc.float(), (value) => {
        const short = shortestFloat32(value);
        expect(Object.is(Math.fround(short), value)).toBe(true);
        expect(String(short).length).toBeLessThanOrEqual(String(value).length);
      }),
    );
  });
});
