import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type DataSpec, loadDataset } from '../../src/data/data.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { Rng } from '../../src/util/random.js';
import { weight } from '../ir/pass/small-nets.js';
import { archwright, temporaryFolder } from './cli.js';

// The model's check waits for its turn on the device.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const folder = temporaryFolder();
const tiny: DataSpec = { kind: 'glyphs', train: 40, search: 10, hidden: 10 };

describe('archwright doctor and devices', () => {
  it('find this machine fit', async () => {
    const { code, stdout } = await archwright(['doctor', '--json'], temporaryFolder());
    const { checks } = JSON.parse(stdout) as { checks: { name: string; ok: boolean }[] };
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['node', 'native addon', 'host', 'telemetry', 'ledger', 'device cpu']),
    );
    expect(code).toBe(0);
  });

  it('list the CPU with its facts and say why not of the rest', async () => {
    const { stdout } = await archwright(['devices', '--json'], temporaryFolder());
    const { devices } = JSON.parse(stdout);
    expect(devices[0]).toMatchObject({ id: 'cpu', usable: true, facts: { provider: 'cpu' } });
    expect(devices.length).toBeGreaterThan(5);
    for (const { usable, reason, fix } of devices.slice(1)) {
      if (usable) continue;
      expect(reason).not.toBe('');
      expect(fix).not.toBe('');
    }
  });
});

describe('archwright doctor with a model', () => {
  const model = join(folder, 'model.onnx');
  const rng = new Rng('doctor');
  beforeAll(async () => {
    const { channels, height, width, classes } = await loadDataset(tiny);
    const b = new GraphBuilder('net');
    const x = b.input('image', 'float32', ['N', channels, height, width]);
    const conv = b.op('Relu', [b.op('Conv', [x, weight(b, 'w', [8, channels, 3, 3], rng)])]);
    const flat = b.op('Flatten', [b.op('GlobalAveragePool', [conv])]);
    b.output(b.op('Gemm', [flat, weight(b, 'v', [8, classes.length], rng)], {}, 'logits'));
    writeFileSync(model, encodeModel(b.build()));
  });

  it('says what is in it, where it runs, and what float16 and int8 cost and bring', async () => {
    const args = [
      'doctor',
      model,
      '--device',
      'cpu',
      '--data',
      'glyphs',
      '--seconds',
      '1',
      '--json',
    ];
    const { code, stdout } = await archwright(args, folder);
    expect(code).toBe(0);
    const { facts, placements, variants, ...document } = JSON.parse(stdout);
    expect(document).toMatchObject({ schema: 'archwright.doctor-model/1', model, external: [] });
    expect(facts).toMatchObject({ opset: 17, nodes: 5, quantization: null });
    expect(placements).toMatchObject([{ device: 'cpu', runs: true, fallbacks: [] }]);
    expect(variants.inputs).toBe('images');
    expect(variants.variants.map(({ name }: { name: string }) => name)).toEqual([
      'folded',
      'fp16',
      'int8',
    ]);
    for (const { made, accuracy, error, latency } of variants.variants) {
      expect(made).toBe(true);
      expect(accuracy.count).toBe(variants.original.accuracy.count);
      expect(error.sqnrDb ?? Number.POSITIVE_INFINITY).toBeGreaterThan(15);
      expect(latency.ci95[0]).toBeLessThanOrEqual(latency.ratio);
      expect(latency.ci95[1]).toBeGreaterThanOrEqual(latency.ratio);
    }
  });

  it('says openly that random inputs tell of no accuracy', async () => {
    const args = ['doctor', model, '--device', 'cpu', '--seconds', '1'];
    const { code, stdout } = await archwright(args, folder);
    expect(code).toBe(0);
    expect(stdout).toMatch(/16 random inputs: they show output errors, not accuracy; give --data/);
    expect(stdout).toMatch(/open +N \(image\[0\]\), run here with 1/);
    expect(stdout).toMatch(/kernels on CPUExecutionProvider for 5 nodes/);
  });

  it('ends with exit code 1 where the model does not run', async () => {
    const path = join(folder, 'mystery.onnx');
    const b = new GraphBuilder('mystery');
    const x = b.input('x', 'float32', [1]);
    b.append({ name: 'n', op: 'Mystery', domain: '', inputs: [x], outputs: ['y'], attributes: {} });
    writeFileSync(path, encodeModel({ ...b.build(), outputs: [{ name: 'y', dtype: 'float32' }] }));
    const { code, stdout } = await archwright(['doctor', path, '--device', 'cpu'], folder);
    expect(code).toBe(1);
    expect(stdout).toMatch(/unknown +Mystery × 1: not counted, not trainable: n/);
    expect(stdout).toMatch(/cpu +does not run: .*Mystery/);
  });

  it.each([
    ['a file that is not there', ['nowhere.onnx'], 'nowhere.onnx: expected an ONNX file'],
    ['data that is not there', [model, '--data', 'nowhere'], 'received nowhere'],
    ['a device that there is not', [model, '--device', 'abacus'], 'received abacus'],
    ['flags without a model', ['--data', 'glyphs'], '--data: expected a model to use it on'],
  ])('refuses %s in one line', async (_, args, message) => {
    const { code, stdout, stderr } = await archwright(['doctor', ...args], folder);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
