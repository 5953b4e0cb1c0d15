/** Conversion and scoring over the runner: on generated glyphs, and on real models where they are. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { loadDataset } from '../../src/data/data.js';
import { convertToFloat16, quantizeModel, weightLimit } from '../../src/deploy/convert.js';
import type { ScoreArgs, ScoreResult } from '../../src/deploy/score-task.js';
import { createTrialInputs, type ImageData } from '../../src/deploy/trial-inputs.js';
import { createDevice } from '../../src/device/ort.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import type { Graph } from '../../src/ir/graph.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { Rng } from '../../src/util/random.js';
import { convNet, weight } from '../ir/pass/small-nets.js';

// Each conversion waits for its turn on the device.
vi.setConfig({ testTimeout: 300_000 });

const device = createDevice({ threads: 1 });
afterAll(() => device.close());

const scoreModule = new URL('../../dist/deploy/score-task.js', import.meta.url).href;

/** Outputs of the variants beside the model's. */
function score(graph: Graph, variants: readonly Graph[], data?: ImageData, images = 200) {
  const inputs = createTrialInputs(device.runner, graph, 'score', {
    images,
    sets: 4,
    seed: 1,
    ...(data !== undefined && { data }),
  });
  const args: ScoreArgs = {
    reference: encodeModel(graph),
    variants: variants.map(encodeModel),
    inputs,
    options: device.sessionOptions(),
    ...(data !== undefined && { classes: data.dataset.classes.length }),
  };
  return device.runner.call<ScoreResult>({ module: scoreModule, name: 'scoreTask', args });
}

describe('on random inputs', () => {
  it('float16 is nearer to the model than int8, and both are near', async () => {
    const graph = convNet(new Rng('deploy'));
    const half = await convertToFloat16(device, graph);
    const quantized = await quantizeModel(device, graph);
    expect(quantized.quantized).toHaveLength(quantized.nodes - 1); // all but the final Identity
    const result = await score(graph, [half.graph, quantized.graph, graph]);
    expect(result).toMatchObject({ runs: 4, accuracy: null });
    const errors = result.variants.map((one) => (one.ran ? one.error : undefined));
    expect(errors[0]?.sqnrDb).toBeGreaterThan(45);
    expect(errors[1]?.sqnrDb).toBeGreaterThan(20);
    expect(errors[1]?.sqnrDb).toBeLessThan(errors[0]?.sqnrDb as number);
    expect(errors[2]).toEqual({ sqnrDb: null, maxAbs: 0, top1Agreement: 1, finite: true });
  });

  it('keeps in float32 what was seen to go beyond float16', async () => {
    const b = new GraphBuilder('large');
    const x = b.input('x', 'float32', [1, 64]);
    const large = b.op(
      'Mul',
      [b.op('Mul', [x, b.scalar(6e4)], {}, 'first'), b.scalar(10)],
      {},
      'second',
    );
    b.output(b.op('Div', [large, b.scalar(6e4)], {}, 'last'), 'y');
    const { kept, graph } = await convertToFloat16(device, b.build());
    expect(kept.map(({ node }) => node)).toEqual(['first', 'second', 'last']);
    const [variant] = (await score(b.build(), [graph])).variants;
    expect(variant).toMatchObject({ ran: true, error: { finite: true } });
  });

  it('says of a variant that ONNX Runtime refuses why it did not run', async () => {
    const graph = convNet(new Rng('deploy'));
    const broken: Graph = {
      ...graph,
      nodes: graph.nodes.map((node) => (node.op === 'Relu' ? { ...node, op: 'Mystery' } : node)),
    };
    const [variant] = (await score(graph, [broken])).variants;
    expect(variant).toMatchObject({ ran: false, reason: expect.stringMatching(/Mystery/) });
  });

  it.each([
    [
      'a model of no layers',
      (b: GraphBuilder, x: string) => b.op('Relu', [x]),
      'expected a Conv, Gemm or MatMul with a stored float32 weight',
    ],
    [
      'values that are not finite',
      (b: GraphBuilder, x: string) =>
        b.op('MatMul', [b.op('Log', [x], {}, 'log'), weight(b, 'w', [4, 4], new Rng(1))]),
      'log became infinite or NaN on random inputs; give data',
    ],
  ] as const)('refuses to quantise %s', async (_, make, message) => {
    const b = new GraphBuilder('bad');
    b.output(make(b, b.input('x', 'float32', [1, 4])), 'y');
    await expect(quantizeModel(device, b.build())).rejects.toThrow(message);
  });

  it('refuses a model that is quantised already', async () => {
    const { graph } = await quantizeModel(device, convNet(new Rng('deploy')));
    await expect(quantizeModel(device, graph)).rejects.toThrow('quantised already: node');
    await expect(convertToFloat16(device, graph)).rejects.toThrow('quantised already: node');
  });
});

it.each([
  [['avx2', 'fma'], 'Linux 6.1 x86_64', 63],
  [['avx512f', 'avx512_vnni'], 'Linux 6.1 x86_64', 127],
  [['avx2', 'avx_vnni'], 'Darwin 23 x86_64', 127],
  [['neon'], 'Darwin 23 arm64', 127],
])('keeps sums from saturating: %j on %s → %i', (features, platform, limit) => {
  expect(weightLimit(features, platform)).toBe(limit);
});

describe('on images', () => {
  it('refuses a model that takes others, in one line', async () => {
    const dataset = await loadDataset({ kind: 'glyphs', train: 40, search: 10, hidden: 40 });
    await expect(quantizeModel(device, convNet(new Rng(1)), { data: { dataset } })).rejects.toThrow(
      /^graph net: expected one float32 input \[N, \d+, \d+, \d+\], as the images of .*; received x float32\[N, 3, 8, 8\]$/,
    );
  });

  it('scores every image once, and refuses a normalisation of other channels', async () => {
    const dataset = await loadDataset({ kind: 'glyphs', train: 40, search: 10, hidden: 53 });
    const { channels, height, width } = dataset;
    const b = new GraphBuilder('pixels');
    const rng = new Rng('pixels');
    const flat = b.op('Flatten', [b.input('x', 'float32', ['N', channels, height, width])]);
    const size = channels * height * width;
    b.output(b.op('MatMul', [flat, weight(b, 'w', [size, dataset.classes.length], rng)]), 'y');
    const graph = b.build();
    const { accuracy } = await score(graph, [], { dataset }, 1000);
    expect(accuracy?.count).toBe(53);
    const bad = { dataset, mean: [0, 0, 0, 0, 0] };
    await expect(quantizeModel(device, graph, { data: bad })).rejects.toThrow(
      `mean: expected 1 number or ${channels}, one per channel, received 5`,
    );
  });
});

const shared = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const present = existsSync(`${shared}onnx-models`) && existsSync(`${shared}cifar10-subset`);
if (!present) console.warn(`SKIPPED: real models on CIFAR-10; expected them in ${shared}`);
const python = '/usr/bin/python3';
const hasOnnx = spawnSync(python, ['-c', 'import onnx']).status === 0;
if (!hasOnnx) console.warn(`SKIPPED: onnx.checker; ${python} has no package onnx`);

const real = [
  ['resnet2b-cifar10', [0.4914, 0.4822, 0.4465], [0.2471, 0.2435, 0.2616], 0.688, 3.6],
  ['vit-cifar10-pgd-2-3-16', [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201], 0.597, 2.6],
] as const;

describe.skipIf(!present)('real models on CIFAR-10', () => {
  it.each(real)('%s: hardly loses accuracy', async (name, mean, std, published, shrink) => {
    const bytes = new Uint8Array(readFileSync(`${shared}onnx-models/${name}.onnx`));
    const graph = decodeModel(bytes, name);
    const dataset = await loadDataset({ kind: 'cifar10', dir: `${shared}cifar10-subset` });
    const data = { dataset, mean, std };
    const half = (await convertToFloat16(device, graph, { data })).graph;
    const int8 = (await quantizeModel(device, graph, { data })).graph;
    const { accuracy, variants } = await score(graph, [half, int8], data, 2000);
    const shareOf = (a: typeof accuracy) => (a?.correct ?? 0) / (a?.count ?? 0);
    expect(shareOf(accuracy)).toBeCloseTo(published, 5);
    const [a, b] = variants.map((one) => (one.ran ? shareOf(one.accuracy) : 0));
    expect(Math.abs((a as number) - published)).toBeLessThan(0.003);
    expect(Math.abs((b as number) - published)).toBeLessThan(0.01);
    expect(bytes.length / encodeModel(half).length).toBeGreaterThan(1.8);
    expect(bytes.length / encodeModel(int8).length).toBeGreaterThan(shrink);
  });

  it.skipIf(!hasOnnx)('make files that onnx.checker accepts', async ({ onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'archwright-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const names = [
      'pfld-landmark',
      'ultraface-rfb320',
      'mnist-cntk',
      'resnet2b-cifar10',
      'vit-cifar10-pgd-2-3-16',
    ];
    const files: string[] = [];
    for (const name of names) {
      const graph = decodeModel(new Uint8Array(readFileSync(`${shared}onnx-models/${name}.onnx`)));
      for (const convert of [convertToFloat16, quantizeModel]) {
        const path = join(folder, `${name}-${files.length}.onnx`);
        writeFileSync(path, encodeModel((await convert(device, graph)).graph));
        files.push(path);
      }
    }
    const script =
      'import sys, onnx\nfor f in sys.argv[1:]: onnx.checker.check_model(onnx.load(f), full_check=True)';
    const { status, stderr } = spawnSync(python, ['-c', script, ...files], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  });
});
