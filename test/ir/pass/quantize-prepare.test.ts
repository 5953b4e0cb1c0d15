import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/ir/builder.js';
import type { Graph } from '../../../src/ir/graph.js';
import { decodeModel } from '../../../src/ir/onnx/decode.js';
import { insertQuantization } from '../../../src/ir/pass/quantize.js';
import { planQuantization } from '../../../src/ir/pass/quantize-plan.js';
import { prepareQuantization } from '../../../src/ir/pass/quantize-prepare.js';
import { problemsOf } from '../../../src/ir/verify.js';
import { Rng } from '../../../src/util/random.js';
import { elementCount } from '../../../src/util/tensor.js';
import { normals, run, sqnrDb, weight } from './small-nets.js';

const opsOf = (graph: Graph) => graph.nodes.map(({ op }) => op);

describe('prepareQuantization', () => {
  it('writes biases into their layers, Sum as Add, and drops Identity', async () => {
    const rng = new Rng('prepare');
    const b = new GraphBuilder('exported');
    const x = b.input('x', 'float32', [2, 3, 4, 4]);
    const conv = b.op('Conv', [x, weight(b, 'w', [4, 3, 1, 1], rng)]);
    const biased = b.op('Add', [weight(b, 'bias', [4, 1, 1], rng), conv]);
    const same = b.op('Identity', [b.op('Sum', [biased, biased])]);
    const flat = b.op('Flatten', [same]);
    const columns = b.op('Reshape', [weight(b, 'v', [16, 4, 5], rng), b.ints([64, 5])]);
    const product = b.op('MatMul', [flat, columns]);
    b.output(b.op('Add', [product, weight(b, 'c', [5], rng)], {}, 'y'));
    const graph = b.build();
    const { graph: prepared } = prepareQuantization(graph);
    expect(problemsOf(prepared)).toEqual([]);
    expect(opsOf(prepared)).toEqual(['Conv', 'Add', 'Flatten', 'Gemm']);
    const feeds = { x: new ort.Tensor('float32', normals(rng, 96), [2, 3, 4, 4]) };
    const expected = (await run(graph, feeds)).y?.data as Float32Array;
    expect(sqnrDb(expected, (await run(prepared, feeds)).y?.data as Float32Array)).toBeGreaterThan(
      120,
    );
    expect(planQuantization(prepared).cores.size).toBe(2);
  });

  it('leaves an Add that is no bias, and a convolution that others read', () => {
    const rng = new Rng('prepare');
    const b = new GraphBuilder('kept');
    const x = b.input('x', 'float32', [2, 3, 4, 4]);
    const conv = b.op('Conv', [x, weight(b, 'w', [4, 3, 1, 1], rng)]);
    const pixel = b.op('Add', [conv, weight(b, 'map', [4, 4], rng)]);
    b.output(b.op('Add', [b.op('Add', [conv, weight(b, 'bias', [4, 1, 1], rng)]), pixel]), 'y');
    const { graph } = prepareQuantization(b.build());
    expect(opsOf(graph)).toEqual(opsOf(b.build()));
  });
});

const folder = fileURLToPath(new URL('../../../../shared/data/onnx-models/', import.meta.url));
const present = existsSync(folder);
if (!present) console.warn(`SKIPPED: real ONNX models; expected them in ${folder}`);

const models = [
  ['convnet-maxpool-mnist', [1, 1, 28, 28], 2],
  ['mnist-cntk', [1, 1, 28, 28], 3],
  ['pfld-landmark', [1, 3, 112, 112], 62],
  ['resnet2b-cifar10', [1, 3, 32, 32], 8],
  ['ultraface-rfb320', [1, 3, 240, 320], 52],
  ['vit-cifar10-pgd-2-3-16', [1, 3, 32, 32], 14],
] as const;

describe.skipIf(!present)('real models of opsets 8 and 9', () => {
  it.each(models)(
    '%s: computes the same in opset 13, with its layers to quantise',
    async (name, dims, layers) => {
      const graph = decodeModel(new Uint8Array(readFileSync(`${folder}${name}.onnx`)), name);
      const { graph: prepared } = prepareQuantization(graph);
      expect(problemsOf(prepared)).toEqual([]);
      const input = graph.inputs[0]?.name ?? '';
      const data = normals(new Rng(name), elementCount(dims));
      const feeds = { [input]: new ort.Tensor('float32', data, dims) };
      const [expected, received] = [await run(graph, feeds), await run(prepared, feeds)];
      for (const { name: output } of graph.outputs) {
        const values = received[output]?.data as Float32Array;
        expect(sqnrDb(expected[output]?.data as Float32Array, values)).toBeGreaterThan(90);
      }
      const plan = planQuantization(prepared);
      expect(plan.cores.size).toBe(layers);
      const ranges = new Map(
        [...plan.owned.values(), ...plan.borrowed].map((value) => [value, { min: -1, max: 3 }]),
      );
      expect(problemsOf(insertQuantization(prepared, ranges).graph)).toEqual([]);
    },
  );
});
