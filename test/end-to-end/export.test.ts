/** `archwright export` to float16 and int8, of a file and of a run. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { loadDataset } from '../../src/data/data.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { Rng } from '../../src/util/random.js';
import { weight } from '../ir/pass/small-nets.js';
import { archwright, smallSearch, temporaryFolder, writeConfig } from './cli.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const folder = temporaryFolder();
const model = join(folder, 'model.onnx');

beforeAll(async () => {
  const { channels, height, width, classes } = await loadDataset({
    kind: 'glyphs',
    train: 40,
    search: 10,
    hidden: 10,
  });
  const rng = new Rng('export');
  const b = new GraphBuilder('net');
  const x = b.input('image', 'float32', ['N', channels, height, width]);
  const conv = b.op('Relu', [b.op('Conv', [x, weight(b, 'w', [8, channels, 3, 3], rng)])]);
  const flat = b.op('Flatten', [b.op('GlobalAveragePool', [conv])]);
  b.output(b.op('Gemm', [flat, weight(b, 'v', [8, classes.length], rng)], {}, 'logits'));
  writeFileSync(model, encodeModel(b.build()));
});

const read = (path: string) => decodeModel(new Uint8Array(readFileSync(path)), path);

describe('archwright export', () => {
  it('writes a model folded, in float32, where no format is asked for', async () => {
    const out = join(folder, 'folded.onnx');
    const { code, stdout } = await archwright(['export', model, '--out', out, '--json'], folder);
    expect([code, JSON.parse(stdout).format]).toEqual([0, 'float32']);
    expect(read(out).initializers).toEqual(read(model).initializers);
  });

  it('writes float16 with the signature of the model', async () => {
    const out = join(folder, 'half.onnx');
    const { code, stdout } = await archwright(
      ['export', model, '--fp16', '--out', out, '--json'],
      folder,
    );
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      schema: 'archwright.export/1',
      trial: null,
      onnx: out,
      format: 'float16',
      converted: 5,
      nodes: 5,
      kept: [],
      bytes: readFileSync(out).length,
    });
    const [before, after] = [read(model), read(out)];
    expect([after.inputs, after.outputs]).toEqual([before.inputs, before.outputs]);
    expect(after.initializers.map(({ dtype }) => dtype)).toEqual(['float16', 'float16']);
  });

  it('writes int8 calibrated on images', async () => {
    const out = join(folder, 'int8.onnx');
    const flags = ['--int8', '--calibrate', 'glyphs', '--mean', '0', '--std', '1'];
    const { code, stdout } = await archwright(['export', model, ...flags, '--out', out], folder);
    expect(stdout).toMatch(/int8\.onnx, .* parameters, int8 in 5 of 5 nodes/);
    expect(code).toBe(0);
    const ops = read(out).nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === 'QuantizeLinear').length).toBeGreaterThan(2);
  });

  it('writes a trial of a run in each format', async () => {
    const config = writeConfig(folder, { ...smallSearch, budget: { trials: 3 } });
    const run = join(folder, 'run');
    const search = await archwright(['search', config, '--out', run, '--json'], folder);
    expect(search.code).toBe(0);
    const sizes: number[] = [];
    for (const flags of [[], ['--fp16'], ['--int8', '--calibrate', 'glyphs']]) {
      const out = join(folder, `trial${flags.length}.onnx`);
      const { code, stdout } = await archwright(
        ['export', run, '--trial', '1', ...flags, '--out', out, '--json'],
        folder,
      );
      expect(code).toBe(0);
      expect(JSON.parse(stdout).trial).toBe(1);
      expect(read(out).metadata['output.classes']).toBeDefined();
      sizes.push(readFileSync(out).length);
    }
    const [whole = 0, half = 0] = sizes;
    expect(half / whole).toBeLessThan(0.75);
  });

  it.each([
    ['both formats', ['--fp16', '--int8'], '--fp16, --int8: expected one of them'],
    ['int8 without data', ['--int8'], '--int8: expected --calibrate with images like those that'],
    ['data without a format', ['--calibrate', 'glyphs'], '--calibrate: expected --int8 or --fp16'],
    ['a trial of a file', ['--fp16', '--trial', '1'], '--trial: expected the folder of a run'],
    ['a mean without data', ['--fp16', '--mean', '0'], '--mean, --std: expected --calibrate'],
    ['a mean that is none', ['--fp16', '--mean', '0,x'], '--mean: expected numbers such as'],
    ['a deviation of 0', ['--fp16', '--std', '0'], '--std: expected positive numbers such as'],
    ['data that is not there', ['--int8', '--calibrate', 'nowhere'], 'received nowhere'],
  ])('refuses %s in one line, with exit code 2', async (_, flags, message) => {
    const out = join(folder, 'never.onnx');
    const { code, stdout, stderr } = await archwright(
      ['export', model, ...flags, '--out', out],
      folder,
    );
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(out)).toBe(false);
  });
});
