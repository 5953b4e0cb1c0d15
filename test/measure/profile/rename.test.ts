import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { InternalError } from '../../../src/errors.js';
import { withGraph } from '../../../src/ir/graph.js';
import { decodeModel } from '../../../src/ir/onnx/decode.js';
import { encodeModel } from '../../../src/ir/onnx/encode.js';
import { renameModel } from '../../../src/ir/onnx/rename.js';
import { markGraph } from '../../../src/measure/profile/mark.js';
import { createBranching } from './branching.js';

const { ModelProto } = onnxProto.onnx;

describe('renameModel', () => {
  it('gives the names of a marked graph, bodies included', () => {
    const graph = createBranching();
    const marked = markGraph(graph).graph;
    const renamed = decodeModel(renameModel(encodeModel(graph), marked));
    expect(renamed).toEqual(marked);
  });

  it('keeps what a Graph cannot hold, such as initializers among the inputs', () => {
    const graph = withGraph(createBranching(), {
      initializers: [
        { name: 'x', role: 'constant', dtype: 'float32', dims: [4], data: new Float32Array(4) },
      ],
    });
    const listed = ModelProto.decode(encodeModel(graph));
    expect(listed.graph?.input?.map(({ name }) => name)).toContain('x');
    const bytes = ModelProto.encode(listed).finish();
    const marked = markGraph(decodeModel(bytes)).graph;
    expect(marked.inputs.map(({ name }) => name)).not.toContain('x');
    const renamed = ModelProto.decode(renameModel(bytes, marked));
    expect(renamed.graph?.input?.map(({ name }) => name)).toContain('x');
  });

  it('refuses names of another graph', () => {
    const graph = createBranching();
    const other = withGraph(graph, { nodes: graph.nodes.slice(1) });
    expect(() => renameModel(encodeModel(graph), other)).toThrow(InternalError);
  });
});
