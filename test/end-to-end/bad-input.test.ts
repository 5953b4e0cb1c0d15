import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/ir/builder.js';
import { freezeGraph } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { archwright, smallSearch, temporaryFolder, writeConfig } from './cli.js';

const folder = temporaryFolder();

/** Runs, and expects exit code 2 and one line that says `what`. */
async function expectUsage(args: readonly string[], what: RegExp): Promise<void> {
  const { code, stderr, stdout } = await archwright(args, folder);
  expect(stderr).toMatch(what);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stdout).toBe('');
  expect(code).toBe(2);
}

const yaml = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('bad input gets one clear line and exit code 2', () => {
  it.each([
    ['a wrong key', 'data: { kind: glyphs }\nbuget: { time: 3m }', /:2: buget: .* budget\?/],
    ['a wrong type', 'data: { kind: glyphs }\ntrain:\n  batch: many', /:3: train.batch: .* "many"/],
    ['a wrong metric', 'data: {kind: glyphs}\nobjectives: [{metric: speed}]', /objectives\[0\]/],
    ['an empty file', '', /expected a map of sections/],
    ['no YAML', 'data: [', /bad\.yaml/],
    ['no budget', 'data: {kind: glyphs}\nbudget: {}', /budget: expected time or trials/],
  ])('configuration: %s', async (_, text, what) => {
    await expectUsage(['search', yaml('bad.yaml', text)], what);
  });

  it('a configuration that is not there', async () => {
    await expectUsage(['search', join(folder, 'none.yaml')], /none\.yaml: cannot be read/);
  });

  it.each([
    [
      'below zero',
      [{ metric: 'latencyMs', max: 0 }],
      /constraints\[0\]: expected a limit that can/,
    ],
    ['upside down', [{ metric: 'params', min: 9, max: 3 }], /max above 0 and not below min/],
    [
      'out of reach',
      [{ metric: 'params', max: 20 }],
      /constraints\[0\]\.max: .* the space conv can/,
    ],
  ])('an impossible limit: %s', async (_, constraints, what) => {
    await expectUsage(['search', writeConfig(folder, { ...smallSearch, constraints })], what);
  });

  it('a limit that names no human design', async () => {
    const constraints = [{ metric: 'latencyMs', max: { baseline: 'alexnet', factor: 1 } }];
    const config = writeConfig(folder, { ...smallSearch, constraints });
    const { code, stderr } = await archwright(
      ['search', config, '--out', join(folder, 'limit')],
      folder,
    );
    expect(stderr).toMatch(/expected one of the baselines lenet-5, .*, received alexnet/);
    expect(code).toBe(2);
  });

  it('data that is missing or truncated', async () => {
    const config = yaml('idx.yaml', 'data: { kind: idx }');
    await expectUsage(['search', config], /data\.dir: expected the folder/);
    await expectUsage(['search', config, '--data', join(folder, 'nowhere')], /nowhere/);
    const data = join(folder, 'data');
    mkdirSync(data, { recursive: true });
    for (const split of ['train', 't10k']) {
      writeFileSync(
        join(data, `${split}-images-idx3-ubyte`),
        Buffer.from([0, 0, 8, 3, 0, 0, 0, 9]),
      );
      writeFileSync(
        join(data, `${split}-labels-idx1-ubyte`),
        Buffer.from([0, 0, 8, 1, 0, 0, 0, 9]),
      );
    }
    await expectUsage(['search', config, '--data', data], /ubyte.*expected/);
  });

  it('flags', async () => {
    const config = writeConfig(folder, smallSearch);
    await expectUsage(['search', config, '--budget', 'soon'], /--budget: expected .*received soon/);
    await expectUsage(['search', config, '--device', 'tpu'], /--device: expected cpu/);
    await expectUsage(['search', config, '--seed', 'x'], /--seed: expected/);
    await expectUsage(['resume', folder], /found no ledger\.sqlite/);
    await expectUsage(['show', folder], /found no ledger\.sqlite/);
    const unknown = await archwright(['serch'], folder);
    expect(unknown.stderr).toContain("unknown command 'serch'");
    expect(unknown.code).toBe(2);
  });

  it('a file that is not ONNX', async () => {
    const path = yaml('text.onnx', 'this is no model');
    await expectUsage(['bench', path], /expected an ONNX model, received .*text\.onnx/);
    await expectUsage(
      ['train', path, '--data', 'glyphs'],
      /expected an ONNX model, received .*text\.onnx/,
    );
    await expectUsage(['bench', join(folder, 'none.onnx')], /none\.onnx: expected an ONNX file/);
  });

  it('an operator that cannot be trained', async () => {
    const builder = new GraphBuilder('odd');
    builder.input('image', 'float32', ['N', 1, 28, 28]);
    const flat = builder.op('Flatten', ['image']);
    const logits = builder.op('Gemm', [flat, builder.weight('w', [784, 10])]);
    const graph = builder.build();
    const path = join(folder, 'odd.onnx');
    writeFileSync(
      path,
      encodeModel(
        freezeGraph({
          ...graph,
          outputs: [{ name: 'y', dtype: 'float32', shape: ['N', 10] }],
          initializers: graph.initializers.map((one) => ({ ...one, data: new Float32Array(7840) })),
          nodes: [
            ...graph.nodes,
            {
              name: 'odd',
              op: 'Wobble',
              domain: '',
              inputs: [logits],
              outputs: ['y'],
              attributes: {},
            },
          ],
        }),
      ),
    );
    await expectUsage(['train', path, '--data', 'glyphs'], /node odd \(Wobble\) cannot be trained/);
  });
});
