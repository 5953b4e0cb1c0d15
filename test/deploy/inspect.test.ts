import { describe, expect, it } from 'vitest';
import { inspectModel } from '../../src/deploy/inspect.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, withGraph } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { insertQuantization } from '../../src/ir/pass/quantize.js';
import { resolveInputs } from '../../src/measure/dims.js';

const inspect = (graph: Graph) => inspectModel(encodeModel(graph), graph, resolveInputs(graph));

function linear(opset = 17): Graph {
  const b = new GraphBuilder('linear', { opset });
  const x = b.input('x', 'float32', ['N', 4]);
  const w = b.initializer({
    name: 'w',
    role: 'weight',
    dtype: 'float32',
    dims: [4, 3],
    data: Float32Array.from({ length: 12 }, (_, i) => i / 12),
  });
  b.output(b.op('MatMul', [x, w]), 'y');
  return b.build();
}

describe('inspectModel', () => {
  it('has nothing to say against a plain model', () => {
    expect(inspect(linear())).toMatchObject({
      opset: 17,
      onnxRelease: '1.12',
      opsetMisses: [],
      nodes: 2,
      params: 12,
      macs: 12,
      deprecated: [],
      unknown: [],
      openDims: [{ dim: 'N', places: ['x[0]'], assumed: 1 }],
      overridable: 0,
      quantization: null,
      float64: [],
      largeConstants: [],
    });
  });

  it('names deprecated and unknown operators, in bodies too', () => {
    const body = {
      ...linear(),
      name: 'body',
      inputs: [],
      initializers: [],
      nodes: [
        { name: 'inside', op: 'Scatter', domain: '', inputs: [], outputs: ['s'], attributes: {} },
        { name: 'own', op: 'Own', domain: 'org.mine', inputs: [], outputs: ['t'], attributes: {} },
      ],
      outputs: [{ name: 's', dtype: 'float32' as const }],
    };
    const graph = withGraph(linear(9), {
      nodes: [
        ...linear(9).nodes,
        { name: 'up', op: 'Upsample', domain: '', inputs: ['y'], outputs: ['u'], attributes: {} },
        {
          name: 'mine',
          op: 'Mine',
          domain: 'org.mine',
          inputs: ['u'],
          outputs: ['m'],
          attributes: { body: { kind: 'graph', value: body } },
        },
      ],
    });
    const facts = inspect(graph);
    expect(facts.nodes).toBe(6);
    expect(facts.deprecated).toEqual([
      { op: 'Upsample', domain: '', nodes: ['up'], since: 10, instead: 'Resize' },
      { op: 'Scatter', domain: '', nodes: ['inside'], since: 11, instead: 'ScatterElements' },
    ]);
    expect(facts.unknown.map(({ op, domain }) => [op, domain])).toEqual([
      ['Mine', 'org.mine'],
      ['Own', 'org.mine'],
    ]);
    expect(facts.opsetMisses.map(({ opset }) => opset)).toEqual([13, 17]);
  });

  it('groups open dimensions by name, and unnamed ones not at all', () => {
    const graph = withGraph(linear(), {
      inputs: [
        { name: 'x', dtype: 'float32', shape: ['N', 4] },
        { name: 'z', dtype: 'float32', shape: ['N', '?', '?'] },
      ],
    });
    expect(inspect(graph).openDims).toEqual([
      { dim: 'N', places: ['x[0]', 'z[0]'], assumed: 1 },
      { dim: '?', places: ['z[1]'], assumed: 1 },
      { dim: '?', places: ['z[2]'], assumed: 1 },
    ]);
  });

  it('sees quantisation, float64 and large constants', () => {
    const ranges = new Map([['x', { min: -1, max: 1 }]]);
    const { quantization } = inspect(insertQuantization(linear(), ranges).graph);
    expect(quantization).toEqual({
      ops: { QuantizeLinear: 1, DequantizeLinear: 2 },
      types: ['int8', 'uint8'],
    });
    const b = new GraphBuilder('large');
    const x = b.input('x', 'float64', [1]);
    const data = new Float64Array(2 ** 17);
    b.output(
      b.op('Add', [x, b.constant({ dtype: 'float64', dims: [data.length], data }, 'table')]),
      'y',
    );
    const facts = inspect(b.build());
    expect(facts.float64).toEqual(['x', 'table', 'add', 'y']);
    expect(facts.largeConstants).toEqual([{ name: 'table', bytes: 2 ** 20 }]);
  });
});
