import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import type { Graph, InitializerRole } from '../../../src/ir/graph.js';
import { encodeModel } from '../../../src/ir/onnx/encode.js';
import { foldBatchNorm } from '../../../src/ir/pass/fold-batch-norm.js';
import { problemsOf } from '../../../src/ir/verify.js';
import { Rng } from '../../../src/util/random.js';
import { elementCount } from '../../../src/util/tensor.js';

const rng = new Rng('fold');

/** A stored tensor of random values from `low` to `low + 1`. */
function stored(b: GraphBuilder, name: string, dims: number[], role: InitializerRole, low = -0.5) {
  const data = Float32Array.from({ length: elementCount(dims) }, () => rng.uniform() + low);
  return b.initializer({ name, role, dtype: 'float32', dims, data });
}

function norm(b: GraphBuilder, x: string, channels: number, name: string): string {
  const scale = stored(b, `${name}.scale`, [channels], 'weight', 0.5);
  const shift = stored(b, `${name}.shift`, [channels], 'weight');
  const mean = stored(b, `${name}.mean`, [channels], 'state');
  const variance = stored(b, `${name}.var`, [channels], 'state', 0.1);
  return b.op('BatchNormalization', [x, scale, shift, mean, variance], { epsilon: 1e-3 }, name);
}

/** Conv without bias, grouped Conv with bias, Gemm of both orientations, each with its norm. */
function net(): Graph {
  const b = new GraphBuilder('net');
  let h = b.input('x', 'float32', ['N', 4, 6, 6]);
  h = b.op('Conv', [h, stored(b, 'w1', [8, 4, 3, 3], 'weight')], {}, 'conv1');
  h = b.op('Relu', [norm(b, h, 8, 'bn1')]);
  const grouped = [h, stored(b, 'w2', [8, 2, 3, 3], 'weight'), stored(b, 'b2', [8], 'weight')];
  h = norm(b, b.op('Conv', grouped, { group: 4, pads: [1, 1, 1, 1] }, 'conv2'), 8, 'bn2');
  h = b.op('Flatten', [b.op('GlobalAveragePool', [b.op('Relu', [h])])]);
  h = b.op('Gemm', [h, stored(b, 'w3', [8, 5], 'weight')], {}, 'fc1');
  h = norm(b, h, 5, 'bn3');
  const rows = [h, stored(b, 'w4', [3, 5], 'weight'), stored(b, 'b4', [3], 'weight')];
  h = norm(b, b.op('Gemm', rows, { transB: 1 }, 'fc2'), 3, 'bn4');
  b.output(h, 'y');
  return b.build();
}

async function run(graph: Graph, x: Float32Array): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(encodeModel(graph));
  const { y } = await session.run({ x: new ort.Tensor('float32', x, [2, 4, 6, 6]) });
  await session.release();
  return y?.data as Float32Array;
}

describe('foldBatchNorm', () => {
  it('gives the same outputs in ONNX Runtime, without any normalisation left', async () => {
    const graph = net();
    const { graph: folded, changed } = foldBatchNorm(graph);
    expect(changed).toBe(true);
    expect(problemsOf(folded)).toEqual([]);
    expect(folded.nodes.some(({ op }) => op === 'BatchNormalization')).toBe(false);
    expect(folded.initializers.map(({ name }) => name)).toEqual(
      ['conv1', 'conv2', 'fc1', 'fc2'].flatMap((n) => [`${n}.folded.weight`, `${n}.folded.bias`]),
    );
    expect(folded.outputs).toEqual(graph.outputs);
    const x = Float32Array.from({ length: 2 * 4 * 36 }, () => rng.uniform() - 0.5);
    const [before, after] = [await run(graph, x), await run(folded, x)];
    expect(before.some((value) => Math.abs(value) > 0.01)).toBe(true);
    before.forEach((value, i) => {
      expect(after[i]).toBeCloseTo(value, 4);
    });
    expect(foldBatchNorm(folded)).toEqual({ graph: folded, changed: false });
  });

  it('leaves a layer alone that others read, or that has no data', () => {
    const read = new GraphBuilder('read');
    const x = read.input('x', 'float32', [1, 2, 4, 4]);
    const conv = read.op('Conv', [x, stored(read, 'w', [2, 2, 1, 1], 'weight')]);
    read.output(read.op('Add', [norm(read, conv, 2, 'bn'), conv]), 'y');
    expect(foldBatchNorm(read.build()).changed).toBe(false);

    const bare = new GraphBuilder('bare');
    const input = bare.input('x', 'float32', [1, 2, 4, 4]);
    const layer = bare.op('Conv', [input, bare.weight('w', [2, 2, 1, 1])]);
    bare.output(norm(bare, layer, 2, 'bn'), 'y');
    expect(foldBatchNorm(bare.build()).changed).toBe(false);
  });

  it('copies a weight that two layers share', () => {
    const b = new GraphBuilder('shared');
    const x = b.input('x', 'float32', [1, 2, 4, 4]);
    const w = stored(b, 'w', [2, 2, 1, 1], 'weight');
    b.output(norm(b, b.op('Conv', [x, w]), 2, 'bn'), 'y');
    b.output(b.op('Conv', [x, w]), 'z');
    const { graph } = foldBatchNorm(b.build());
    expect(graph.initializers.map(({ name }) => name)).toEqual([
      'w',
      'conv.folded.weight',
      'conv.folded.bias',
    ]);
    expect(graph.initializers[0]?.data).toEqual(b.build().initializers[0]?.data);
  });
});
