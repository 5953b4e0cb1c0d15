/**
 * Real models from elsewhere: decoded, encoded again and run in ONNX Runtime beside the original.
 * Needs `../shared/data`; ONNX's own checker is asked where Python has the package `onnx`.
 */
import { deepStrictEqual } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import onnxProto from 'onnx-proto';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { decodeModel } from '../../src/ir/onnx/decode.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { parseGraph } from '../../src/ir/text/parse.js';
import { printGraph } from '../../src/ir/text/print.js';
import { Rng } from '../../src/util/random.js';

interface ModelFacts {
  readonly file: string;
  readonly nodes: number;
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
  readonly checked_with_input_shapes: Readonly<Record<string, readonly number[]>>;
}

const folder = fileURLToPath(new URL('../../../shared/data/onnx-models/', import.meta.url));
const present = existsSync(folder);
if (!present) console.warn(`SKIPPED: real ONNX models; expected them in ${folder}`);
const models: readonly ModelFacts[] = present
  ? JSON.parse(readFileSync(join(folder, 'models.json'), 'utf8'))
  : [];

const python = '/usr/bin/python3';
const hasOnnx = spawnSync(python, ['-c', 'import onnx']).status === 0;
if (!hasOnnx) console.warn(`SKIPPED: onnx.checker; ${python} has no package onnx`);

function read(file: string): Uint8Array {
  return readFileSync(join(folder, file));
}

function randomFeeds(facts: ModelFacts): Record<string, ort.Tensor> {
  const rng = new Rng(facts.file);
  return Object.fromEntries(
    facts.inputs.map(({ name, type }) => {
      const dims = facts.checked_with_input_shapes[name] ?? [];
      const size = dims.reduce((product, dim) => product * dim, 1);
      const draw = <T>(create: () => T) => Array.from({ length: size }, create);
      if (type === 'tensor(int64)') {
        return [name, new ort.Tensor('int64', BigInt64Array.from(draw(() => 16000n)), dims)];
      }
      if (type === 'tensor(int32)') {
        return [name, new ort.Tensor('int32', Int32Array.from(draw(() => rng.integer(30))), dims)];
      }
      return [name, new ort.Tensor('float32', Float32Array.from(draw(() => rng.uniform())), dims)];
    }),
  );
}

/**
 * Without optimisations: files before IR version 4 let a caller override initializers, so ONNX
 * Runtime folds constants in ours and not in theirs.
 */
async function run(
  bytes: Uint8Array,
  feeds: Record<string, ort.Tensor>,
): Promise<Record<string, { dims: readonly number[]; bytes: Buffer }>> {
  const session = await ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { dims, data }]) => {
      if (!ArrayBuffer.isView(data)) throw new Error(`output ${name}: expected numbers`);
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      return [name, { dims, bytes: Buffer.from(bytes) }];
    }),
  );
}

describe.skipIf(!present)('real models', () => {
  it('are all there', () => {
    expect(models.length).toBe(10);
  });

  it.each(models)('$file: the same graph after encode and after print', ({ file, nodes }) => {
    const graph = decodeModel(read(file), file);
    expect(graph.nodes.length).toBe(nodes);
    deepStrictEqual(decodeModel(encodeModel(graph)), graph);
    deepStrictEqual(parseGraph(printGraph(graph)), graph);
  });

  it.each(models)('$file: re-encoded, gives the same outputs bit for bit', async (facts) => {
    const original = read(facts.file);
    const feeds = randomFeeds(facts);
    const expected = await run(original, feeds);
    const encoded = await run(encodeModel(decodeModel(original, facts.file)), feeds);
    deepStrictEqual(encoded, expected);
    const first = Object.values(expected)[0]?.bytes;
    expect(new Set(first).size).toBeGreaterThan(1);
  });

  it.each(['light-resnet50', 'light-squeezenet'])(
    '%s: gives the output that its origin published',
    async (stem) => {
      const facts = models.find(({ file }) => file === `${stem}.onnx`);
      if (facts === undefined) throw new Error(`${stem}: not in models.json`);
      const name = facts.inputs[0]?.name ?? '';
      const dims = facts.checked_with_input_shapes[name] ?? [];
      const size = dims.reduce((product, dim) => product * dim, 1);
      const ramp = Float32Array.from({ length: size }, (_, i) => i / size);
      const bytes = encodeModel(decodeModel(read(facts.file), facts.file));
      const [result] = Object.values(
        await run(bytes, { [name]: new ort.Tensor('float32', ramp, dims) }),
      );
      const published = onnxProto.onnx.TensorProto.decode(read(`${stem}_output_0.pb`));
      const wanted = new Float32Array(new Uint8Array(published.rawData).buffer);
      const received = new Float32Array(new Uint8Array(result?.bytes ?? []).buffer);
      expect(received.length).toBe(wanted.length);
      const worst = received.reduce((w, v, i) => Math.max(w, Math.abs(v - (wanted[i] ?? 0))), 0);
      expect(worst).toBeLessThan(1e-7);
    },
  );
});

describe.skipIf(!present || !hasOnnx)('onnx.checker', () => {
  it('accepts what we encode, shapes inferred', ({ onTestFinished }) => {
    const scratch = mkdtempSync(join(tmpdir(), 'archwright-onnx-'));
    onTestFinished(() => rmSync(scratch, { recursive: true }));
    const files = models.map(({ file }) => {
      const path = join(scratch, file);
      writeFileSync(path, encodeModel(decodeModel(read(file), file)));
      return path;
    });
    const script = `
import sys, onnx
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert model.ir_version == 8 and model.producer_name == 'archwright', path
    print('ok')
`;
    const { status, stdout, stderr } = spawnSync(python, ['-c', script, ...files], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(models.length);
  });
});
