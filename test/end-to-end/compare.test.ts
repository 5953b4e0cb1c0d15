/** The machine may be busy: models that are compared differ by far, or not at all. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { Rng } from '../../src/util/random.js';
import { archwright, temporaryFolder } from './cli.js';

const folder = temporaryFolder();
const CHANNELS = 16;

/** `depth` 3×3 convolutions in a row. */
function encodeNet(depth: number, output = 'features'): Uint8Array {
  const rng = new Rng('net');
  const builder = new GraphBuilder('net');
  let value = builder.input('image', 'float32', ['N', CHANNELS, 16, 16]);
  for (let layer = 0; layer < depth; layer++) {
    const kernel = builder.initializer({
      name: `kernel.${layer}`,
      role: 'weight',
      dtype: 'float32',
      dims: [CHANNELS, CHANNELS, 3, 3],
      data: Float32Array.from({ length: CHANNELS ** 2 * 9 }, () => rng.normal() / 12),
    });
    value = builder.op('Conv', [value, kernel], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  }
  builder.output(value, output);
  return encodeModel(builder.build());
}

const path = (name: string): string => join(folder, name);
const compare = (...args: string[]) => archwright(['compare', ...args, '--threads', '1'], folder);

beforeAll(() => {
  writeFileSync(path('short.onnx'), encodeNet(4));
  writeFileSync(path('long.onnx'), encodeNet(16));
  writeFileSync(path('renamed.onnx'), encodeNet(4, 'other'));
});

describe('archwright compare', () => {
  it('finds the faster of two models, by the contract', async () => {
    const { code, stdout, stderr } = await compare('short.onnx', 'long.onnx', '--json');
    expect(stderr.replaceAll(/^device cpu: in use by .*\n/gm, '')).toBe('');
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      schema: 'archwright.compare/1',
      verdict: 'FASTER',
      method: 'interleaved',
      device: 'cpu',
      threads: 1,
      outputs: { comparable: true, output: 'features' },
      a: { model: 'short.onnx', inputs: { image: { shape: [1, CHANNELS, 16, 16] } } },
      b: { model: 'long.onnx', cost: { params: 16 * CHANNELS ** 2 * 9 } },
    });
    const { ratio, ci95, rounds, pairs, discarded, outputs, a, b } = document;
    expect(ratio).toBeGreaterThan(ci95[0]);
    expect(ratio).toBeLessThan(ci95[1]);
    expect(ci95[1]).toBeLessThan(0.995);
    expect(rounds).toBeGreaterThanOrEqual(6);
    expect(pairs + discarded).toBeGreaterThanOrEqual(4 * rounds);
    expect(outputs.maxAbsDifference).toBeGreaterThan(0);
    expect(a.latencyMs.p50).toBeLessThan(b.latencyMs.p50);
    expect(a.samples).toBeGreaterThan(0);
    expect(a.loadMs).toBeGreaterThan(0);
  });

  it('says the reverse of models the other way round, for people', async () => {
    const { code, stdout } = await compare('long.onnx', 'short.onnx');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^SLOWER: a takes \d+\.\d % more time than b\n/);
    expect(stdout).toMatch(/outputs {4}differ by up to/);
  });

  it('calls a model neither faster nor slower than itself, and its outputs equal', async () => {
    const { stdout } = await compare('short.onnx', 'short.onnx', '--seconds', '4', '--json');
    const { verdict, ci95, outputs } = JSON.parse(stdout);
    expect(['SAME', 'UNCLEAR']).toContain(verdict);
    expect(ci95[0]).toBeLessThan(1.005);
    expect(ci95[1]).toBeGreaterThan(0.995);
    expect(outputs).toMatchObject({ comparable: true, maxAbsDifference: 0 });
  });

  it('takes sizes of dimensions, and tells why outputs are not comparable', async () => {
    const { stdout } = await compare(
      'short.onnx',
      'renamed.onnx',
      '--dim',
      'N=2',
      '--seconds',
      '0.5',
      '--json',
    );
    const { a, outputs } = JSON.parse(stdout);
    expect(a.inputs.image.shape).toEqual([2, CHANNELS, 16, 16]);
    expect(outputs).toEqual({
      comparable: false,
      reason: 'outputs differ: features and other',
    });
  });

  it('holds assertions against the result: 3 where one fails, 2 for one of nothing', async () => {
    const quick = ['short.onnx', 'long.onnx', '--markdown'];
    const failed = await compare(...quick, '--assert', 'ratio > 1', '--assert', 'verdict==FASTER');
    expect(failed.code).toBe(3);
    expect(failed.stderr).toMatch(
      /✗ assertion failed: short\.onnx: expected ratio > 1, actual 0\.\d+ \(95 % interval 0\.\d+ … 0\.\d+\)\n✓ assertion holds/,
    );
    expect(failed.stdout).toMatch(
      /^\| a \| b \| verdict of a \|.*\n\|.*\n\| short\.onnx \| long\.onnx \| FASTER \|/,
    );
    const unknown = await compare(...quick, '--assert', 'ration > 1');
    expect(unknown.stderr).toMatch(/no value ration; did you mean ratio\?/);
    expect(unknown.code).toBe(2);
  });

  it('compares with a saved measurement, and refuses one of other circumstances', async () => {
    const saved = await archwright(
      ['bench', 'short.onnx', 'long.onnx', '--threads', '1', '--seconds', '1', '--json'],
      folder,
    );
    writeFileSync(path('saved.json'), saved.stdout);
    const baseline = ['--baseline', 'saved.json', '--seconds', '1'];
    const { code, stdout } = await compare('short.onnx', ...baseline, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'archwright.compare/1',
      method: 'baseline',
      a: { model: 'short.onnx' },
      b: { model: 'short.onnx' },
    });
    const { verdict, ratio, ci95 } = JSON.parse(stdout);
    expect(['FASTER', 'SLOWER', 'SAME', 'UNCLEAR']).toContain(verdict);
    expect(ci95[0]).toBeLessThan(ratio);
    expect(ci95[1]).toBeGreaterThan(ratio);

    const other = await archwright(
      ['compare', 'short.onnx', ...baseline, '--dim', 'N=2', '--threads', '2'],
      folder,
    );
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/other circumstances, now and then: threads \(2 and 1\), inputs/);
    const absent = await compare('renamed.onnx', ...baseline);
    expect(absent.stderr).toMatch(/expected a result of renamed\.onnx, received short\.onnx, long/);
    expect(absent.code).toBe(2);
  });

  it('complains in one line of what cannot be compared', async () => {
    writeFileSync(path('text.json'), '{"schema": "other"}');
    for (const [args, what] of [
      [['short.onnx'], /expected a second model or --baseline, received neither/],
      [['short.onnx', 'long.onnx', '--baseline', 'saved.json'], /received both/],
      [['short.onnx', 'none.onnx'], /none\.onnx: expected an ONNX file/],
      [
        ['short.onnx', 'long.onnx', '--dim', 'M=2'],
        /expected symbolic dimensions \(N\), received M/,
      ],
      [['short.onnx', '--baseline', 'text.json'], /text\.json: expected what bench --json printed/],
      [['short.onnx', 'long.onnx', '--json', '--csv'], /cannot be used with option/],
    ] as const) {
      const { code, stderr, stdout } = await compare(...args);
      expect(stderr).toMatch(what);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stdout).toBe('');
      expect(code).toBe(2);
    }
  });
});
