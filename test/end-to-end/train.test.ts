/** `archwright train` on a file that somebody else exported: old opset, one image a run, a softmax. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainDocument } from '../../src/cli/train-model.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { freezeGraph, type Graph } from '../../src/ir/graph.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { Session } from '../../src/runtime/session.js';
import { drawWeights } from '../../src/train/initialize.js';
import { Rng } from '../../src/util/random.js';
import { writeNpy } from '../data/npy-file.js';
import { archwright, start, temporaryFolder } from './cli.js';

const SIDE = 8;
const COUNT = 400;
const CLASSES = 4;

/** conv – norm – relu – pool – gemm – softmax over seven classes, for one image, in opset 11. */
function createModel(): Graph {
  const b = new GraphBuilder('theirs');
  b.input('pixels', 'float32', [1, 1, SIDE, SIDE]);
  const kernel = b.weight('encoder.conv.weight', [8, 1, 3, 3]);
  let x = b.op('Conv', ['pixels', kernel], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, 'conv');
  const norm = ['scale', 'bias'].map((name) => b.weight(`encoder.norm.${name}`, [8]));
  const states = ['mean', 'var'].map((name) => b.weight(`encoder.norm.${name}`, [8], 'state'));
  x = b.op('Relu', [b.op('BatchNormalization', [x, ...norm, ...states], {}, 'norm')]);
  x = b.op('MaxPool', [x], { kernel_shape: [4, 4], strides: [4, 4] });
  const flat = b.op('Reshape', [x, b.ints([1, 32])]);
  const head = [flat, b.weight('head.weight', [7, 32]), b.weight('head.bias', [7])];
  b.output(b.op('Softmax', [b.op('Gemm', head, { transB: 1 }, 'head')], { axis: 1 }), 'p');
  const graph = drawWeights(b.build(), new Rng(4));
  const rng = new Rng(5);
  return freezeGraph({
    ...graph,
    opsets: { '': 11 },
    initializers: graph.initializers.map((one) =>
      one.name.startsWith('encoder.norm')
        ? { ...one, data: Float32Array.from({ length: 8 }, () => rng.range(0.5, 1.5)) }
        : one,
    ),
  });
}

/** A bright quadrant under noise; its place is the class. */
function writeTask(folder: string): Float32Array {
  const rng = new Rng(6);
  const labels = Int32Array.from({ length: COUNT }, () => rng.integer(CLASSES));
  const pixels = Float32Array.from({ length: COUNT * SIDE * SIDE }, (_, i) => {
    const place = i % (SIDE * SIDE);
    const quadrant = 2 * Number(place >= 32) + Number(place % SIDE >= SIDE / 2);
    return rng.normal() + (quadrant === labels[Math.floor(i / (SIDE * SIDE))] ? 1.5 : 0);
  });
  mkdirSync(join(folder, 'data'));
  writeNpy(join(folder, 'data', 'pixels.npy'), '<f4', [COUNT, 1, SIDE, SIDE], pixels);
  writeNpy(join(folder, 'data', 'target.npy'), '<i4', [COUNT], labels);
  return pixels;
}

let folder: string;
let pixels: Float32Array;
const theirs = createModel();
beforeAll(() => {
  folder = temporaryFolder();
  writeFileSync(join(folder, 'theirs.onnx'), encodeModel(theirs));
  pixels = writeTask(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const base = ['train', 'theirs.onnx', '--data', 'data', '--threads', '1', '--batch', '8'];

async function train(...flags: readonly string[]): Promise<TrainDocument> {
  const { code, stdout, stderr } = await archwright([...base, ...flags, '--json'], folder);
  expect(stderr).not.toContain('error');
  expect(code).toBe(0);
  return JSON.parse(stdout) as TrainDocument;
}

const read = (file: string): Graph => decodeModel(readFileSync(join(folder, file)), file);
const dataOf = (graph: Graph, name: string) =>
  graph.initializers.find((one) => one.name === name)?.data as Float32Array;

describe('another number of classes, with the encoder frozen', () => {
  let result: TrainDocument;
  beforeAll(async () => {
    const more = ['--epochs', '40', '--learning-rate', '0.01', '--patience', '3'];
    const plot = ['--plot', 'curve.svg', '--out', 'ours.onnx'];
    result = await train('--classes', '4', '--freeze', 'encoder.*', ...more, ...plot);
  });

  it('learns', () => {
    expect(result.scores.search.accuracy).toBeGreaterThan(0.8);
    expect(result.parameters).toEqual({ trained: 32 * 4 + 4, frozen: 72 + 16 });
    expect(result.notes.join()).toMatch(/4 classes in place of 7.*last Softmax.*keeps opset 11/);
  });

  it('stops where the search loss falls no more', () => {
    const losses = result.curve.evaluations.map(({ loss }) => loss);
    expect(result.steps).toBeLessThan(result.planned);
    expect(losses).toHaveLength(losses.indexOf(Math.min(...losses)) + 1 + 3);
    expect(result.scores.search.loss).toBe(Math.min(...losses));
    expect(result.curve.losses).toHaveLength(result.steps);
  });

  it('leaves the encoder and its running statistics as they were', () => {
    const ours = read('ours.onnx');
    const frozen = theirs.initializers.filter(({ name }) => name.startsWith('encoder.'));
    expect(frozen).toHaveLength(5);
    for (const { name, data } of frozen) expect(dataOf(ours, name), name).toEqual(data);
  });

  it('keeps names, operator set and batch of the file', async () => {
    const ours = read('ours.onnx');
    expect(ours.opsets).toEqual({ '': 11 });
    expect(ours.inputs).toEqual(theirs.inputs);
    expect(ours.outputs).toEqual([{ name: 'p', dtype: 'float32', shape: [1, 4] }]);
    expect(ours.nodes.map(({ name }) => name)).toEqual(theirs.nodes.map(({ name }) => name));
    expect(dataOf(ours, 'head.weight')).toHaveLength(4 * 32);
    const session = await Session.create(encodeModel(ours), {
      threads: 1,
      optimization: 'all',
      provider: 'cpu',
    });
    const data = pixels.slice(0, SIDE * SIDE);
    const { p } = await session.run({
      pixels: { dtype: 'float32', dims: [1, 1, SIDE, SIDE], data },
    });
    session.release();
    const sum = Array.from(p?.data ?? [], Number).reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(1, 5);
  });

  it('draws the curve', () => {
    const svg = readFileSync(join(folder, 'curve.svg'), 'utf8');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    const lines = [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, points]) => points);
    expect(lines).toHaveLength(3);
    expect(svg.match(/<circle/g)).toHaveLength(2 * result.curve.evaluations.length);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

describe('a training that is killed', () => {
  const flags = ['--epochs', '200', '--ema', '0.9', '--accumulate', '2', '--evaluate-every', '5'];
  const own = ['--classes', '4', '--checkpoint', 'stop.ckpt'];

  it('goes on from its checkpoint to the same file, byte for byte', async () => {
    const whole = await train(...flags, '--classes', '4', '--out', 'whole.onnx');
    const run = start([...base, ...flags, ...own, '--out', 'rest.onnx'], folder);
    await run.sees(/step [1-9]\d\d of/);
    while (!existsSync(join(folder, 'stop.ckpt'))) await sleep(5);
    run.child.kill('SIGKILL');
    expect((await run.finished).signal).toBe('SIGKILL');
    expect(existsSync(join(folder, 'rest.onnx'))).toBe(false);

    const again = await archwright([...base, ...flags, ...own], folder);
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(/--checkpoint: expected a file that is not there yet/);

    const rest = await train(...flags, ...own, '--resume', '--out', 'rest.onnx');
    expect(readFileSync(join(folder, 'rest.onnx'))).toEqual(
      readFileSync(join(folder, 'whole.onnx')),
    );
    expect(rest.curve).toEqual(whole.curve);
    expect(rest.scores).toEqual(whole.scores);

    const other = await archwright([...base, ...flags, ...own, '--resume', '--seed', '1'], folder);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/expected one of this training, received one with another .*seed/);
  });
});

describe('a limit on memory', () => {
  it.each([
    ['1KiB', /memoryLimitBytes: a step .* needs \d+ bytes of activations at least, received 1024/],
    ['much', /--memory-limit: expected a size such as 512MiB, received much/],
  ])('%s is refused in one line', async (size, message) => {
    const { code, stderr } = await archwright([...base, '--memory-limit', size], folder);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('other data', () => {
  function writeMlp(input: string, features: number, outputs: number): void {
    const b = new GraphBuilder('mlp');
    b.input(input, 'float32', ['N', features]);
    const first = [input, b.weight('w1', [features, 16]), b.weight('b1', [16])];
    const second = [b.op('Relu', [b.op('Gemm', first)]), b.weight('w2', [16, outputs])];
    b.output(b.op('Gemm', [...second, b.weight('b2', [outputs])]), 'y');
    writeFileSync(join(folder, 'mlp.onnx'), encodeModel(drawWeights(b.build(), new Rng(2))));
  }
  const run = async (...flags: readonly string[]): Promise<TrainDocument> => {
    const common = ['--threads', '1', '--batch', '8', '--learning-rate', '0.02', '--json'];
    const { code, stdout } = await archwright(['train', ...flags, ...common], folder);
    expect(code).toBe(0);
    return JSON.parse(stdout) as TrainDocument;
  };

  it('a table with names of classes, which the file keeps', async () => {
    writeMlp('x', 2, 2);
    const rng = new Rng(8);
    const rows = Array.from({ length: 300 }, () => {
      const [a, b] = [rng.normal(), rng.normal()];
      return `${a},${b},${a > b ? 'more' : 'less'}`;
    });
    writeFileSync(join(folder, 'table.csv'), ['a,b,target', ...rows].join('\n'));
    const flags = ['--data', 'table.csv', '--epochs', '10', '--out', 'table.onnx'];
    const { scores } = await run('mlp.onnx', ...flags);
    expect(scores.hidden.accuracy).toBeGreaterThan(0.9);
    expect(read('table.onnx').metadata['output.classes']).toBe('["less","more"]');
  });

  it('text, in which the next character follows from the present one', async () => {
    const b = new GraphBuilder('characters');
    b.input('tokens', 'int64', ['N', 'T']);
    const embedded = b.op('Gather', [b.weight('embedding', [7, 8]), 'tokens']);
    b.output(b.op('MatMul', [embedded, b.weight('w', [8, 7])]), 'logits');
    const model = encodeModel(drawWeights(b.build(), new Rng(3)));
    writeFileSync(join(folder, 'characters.onnx'), model);
    writeFileSync(join(folder, 'text.txt'), 'abcdefg'.repeat(400));
    const data = ['--data', 'text.txt', '--sequence', '12', '--epochs', '10'];
    const { scores } = await run('characters.onnx', ...data);
    expect(scores.hidden.accuracy).toBe(1);
  });
});

it('the example of a foreign model with a loss of its own runs', async () => {
  const path = fileURLToPath(new URL('../../examples/train-any.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [path]);
  const [, last] = /→ (\S+) on the hidden split/.exec(stdout) ?? [];
  expect(Number(last)).toBeLessThan(0.02);
});

describe('what cannot be trained is refused in one line', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['a pattern that fits nothing', ['--freeze', 'decoder.*'], /--freeze: .*received decoder\.\*/],
    ['an unknown loss', ['--loss', 'hinge'], /--loss: expected cross-entropy, .* received hinge/],
    ['16-bit on the CPU', ['--precision', 'float16'], /precision: expected float32 on the CPU/],
    ['resuming from nothing', ['--resume'], /expected --checkpoint <file>/],
  ])('%s', async (_, flags, message) => {
    const { code, stderr } = await archwright([...base, ...flags], folder);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
  });

  it('classes that the model does not have', async () => {
    const { code, stderr } = await archwright([...base, '--classes', '3'], folder);
    expect(stderr).toMatch(
      /class numbers from 0 to 2, as the model has 3 classes, received 3 in row/,
    );
    expect(code).toBe(2);
  });
});
