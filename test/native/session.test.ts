import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { loadBinding } from '../../src/runtime/binding.js';
import type { HostTensor, TensorData } from '../../src/runtime/binding-types.js';
import { Session } from '../../src/runtime/session.js';
import { Rng } from '../../src/util/random.js';
import { arrayTypes, elementCount } from '../../src/util/tensor.js';
import { affineModel, buildModel, type Code, codes, cpu, float32 } from './model.js';

describe('a session', () => {
  it('describes its inputs and outputs, and runs', async () => {
    const session = await Session.create(affineModel(), cpu);
    expect(session.inputs).toEqual([{ name: 'x', dtype: 'float32', dims: [-1, 2] }]);
    expect(session.outputs).toEqual([{ name: 'y', dtype: 'float32', dims: [-1, 3] }]);
    expect(session.loadMs).toBeGreaterThan(0);
    const { y } = await session.run({ x: float32([2, 2], [1, 2, 3, 4]) });
    expect(y?.dims).toEqual([2, 3]);
    expect([...(y as HostTensor).data]).toEqual([9.5, 11.5, 15.25, 19.5, 25.5, 33.25]);
    session.release();
    session.release();
    await expect(session.run({ x: float32([1, 2], [1, 2]) })).rejects.toThrow('after its release');
  });

  it('runs an empty batch', async () => {
    const session = await Session.create(affineModel(), cpu);
    const { y } = await session.run({ x: float32([0, 2], []) });
    expect(y?.dims).toEqual([0, 3]);
    expect(y?.data.length).toBe(0);
  });

  it('reads inputs from shared memory at an offset', async () => {
    const session = await Session.create(affineModel(), cpu);
    const data = new Float32Array(new SharedArrayBuffer(64), 8, 2);
    data.set([1, 2]);
    const { y } = await session.run({ x: { dtype: 'float32', dims: [1, 2], data } });
    expect([...(y as HostTensor).data]).toEqual([9.5, 11.5, 15.25]);
  });

  it.each(Object.keys(codes) as Code[])('carries %s both ways', async (dtype) => {
    const session = await Session.create(
      buildModel({
        inputs: [{ name: 'a', dtype, dims: [4] }],
        outputs: [{ name: 'b', dtype, dims: [4, 1] }],
        nodes: [
          { op: 'Unsqueeze', inputs: ['a', 'axes'], outputs: ['b'] },
          // Unsqueeze takes its axes as a tensor: the shape of a vector of shape [1] is [1].
          { op: 'Shape', inputs: ['one'], outputs: ['axes'] },
        ].reverse(),
        weights: { one: { dims: [1], values: [1] } },
      }),
      cpu,
    );
    const type = arrayTypes[dtype];
    const bits = Uint8Array.from({ length: 4 * type.BYTES_PER_ELEMENT }, (_, i) => i % 2);
    const data = new type(bits.buffer) as TensorData;
    const { b } = await session.run({ a: { dtype, dims: [4], data } });
    expect(b).toEqual({ dtype, dims: [4, 1], data });
  });

  it('keeps arena statistics, or none without the arena', async () => {
    const session = await Session.create(affineModel(), cpu);
    await session.run({ x: float32([64, 2], new Float32Array(128)) });
    const stats = session.allocatorStats();
    expect(stats.maxInUseBytes).toBeGreaterThan(0);
    expect(stats.totalAllocatedBytes).toBeGreaterThanOrEqual(stats.maxInUseBytes);
    expect(stats.allocations).toBeGreaterThan(0);
    const plain = await Session.create(affineModel(), { ...cpu, arena: false });
    await plain.run({ x: float32([64, 2], new Float32Array(128)) });
    expect(plain.allocatorStats().maxInUseBytes).toBe(0);
  });

  it('accepts options and runs several at a time', async () => {
    const options = { threads: 2, optimization: 'none', provider: 'cpu', spin: false } as const;
    const config = { 'session.disable_prepacking': '1' };
    const session = await Session.create(affineModel(), { ...options, config });
    const runs = Array.from({ length: 16 }, (_, i) => session.run({ x: float32([1, 2], [i, 1]) }));
    const results = await Promise.all(runs);
    expect(results.map(({ y }) => y?.data[0])).toEqual(
      Array.from({ length: 16 }, (_, i) => i + 4.5),
    );
  });
});

describe('what does not fit gets one clear line', () => {
  const x = float32([1, 2], [1, 2]);
  const cases: [string, Record<string, unknown>, string][] = [
    ['missing', {}, 'input "x": expected a tensor, received none'],
    ['unknown', { x, z: x }, 'input "z": expected an input of the model: "x"'],
    ['rank', { x: float32([2], [1, 2]) }, 'input "x": expected dims [?, 2], received [2]'],
    ['dim', { x: float32([1, 3], [1, 2, 3]) }, 'expected dims [?, 2], received [1, 3]'],
    [
      'type',
      { x: { dtype: 'int32', dims: [1, 2], data: new Int32Array(2) } },
      'input "x": expected float32, received int32',
    ],
    [
      'array',
      { x: { ...x, data: new Float64Array(2) } },
      'input "x": expected Float32Array for float32, received Float64Array',
    ],
    ['length', { x: { ...x, dims: [2, 2] } }, 'expected 4 elements for dims [2, 2], received 2'],
  ];
  it.each(cases)('%s', async (_, feeds, message) => {
    const session = await Session.create(affineModel(), cpu);
    await expect(session.run(feeds as Record<string, HostTensor>)).rejects.toThrow(message);
  });

  it('an unknown output', async () => {
    const session = await Session.create(affineModel(), cpu);
    await expect(session.run({ x }, ['q'])).rejects.toThrow('output "q": expected an output');
  });

  it('a file that is not ONNX', async () => {
    const error = await Session.create(new Uint8Array([1, 2, 3]), cpu).catch((e: Error) => e);
    expect(error).toMatchObject({ name: 'ArchwrightError' });
    expect((error as Error).message).toMatch(/^ONNX Runtime: the model was refused: [^\n]+$/);
  });

  it('an unknown operator, a bad thread count, a released handle', async () => {
    const unknown = buildModel({
      inputs: [{ name: 'x', dtype: 'float32', dims: [1] }],
      outputs: [{ name: 'y', dtype: 'float32', dims: [1] }],
      nodes: [{ op: 'Nonsense', inputs: ['x'], outputs: ['y'] }],
    });
    await expect(Session.create(unknown, cpu)).rejects.toThrow('Nonsense');
    await expect(Session.create(affineModel(), { ...cpu, threads: 0 })).rejects.toThrow(
      'threads: expected a whole number from 1, received 0',
    );
    expect(() => loadBinding().sessionInputs({} as never)).toThrow('expected a handle');
  });
});

const models = new URL('../../../shared/data/onnx-models/', import.meta.url);
const present = existsSync(models);
if (!present) console.warn(`SKIPPED: no models to compare with onnxruntime-node in ${models}`);

describe.skipIf(!present)('published models give what onnxruntime-node gives', () => {
  const files = present ? readdirSync(models).filter((file) => file.endsWith('.onnx')) : [];
  it.each(files)('%s', async (file) => {
    const bytes = readFileSync(new URL(file, models));
    const session = await Session.create(bytes, cpu);
    const rng = new Rng(file);
    const feeds = Object.fromEntries(
      session.inputs.map(({ name, dtype, dims: open }) => {
        // One row, or as many samples as the voice detector wants.
        const dims = open.map((dim, i) =>
          dim > 0 ? dim : file.includes('vad') && i === 1 && name === 'input' ? 512 : 1,
        );
        const data = new arrayTypes[dtype](elementCount(dims)) as TensorData;
        if (data instanceof Float32Array)
          for (let i = 0; i < data.length; i++) data[i] = rng.uniform();
        if (data instanceof BigInt64Array) data.fill(16000n);
        return [name, { dtype, dims, data }];
      }),
    );
    const reference = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
    const expected = await reference.run(
      Object.fromEntries(
        Object.entries(feeds).map(([name, { dtype, dims, data }]) => [
          name,
          new Tensor(dtype as 'float32', data as Float32Array, dims),
        ]),
      ),
    );
    const actual = await session.run(feeds);
    expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, { dims, data }] of Object.entries(actual)) {
      expect(dims).toEqual(expected[name]?.dims);
      const reference = expected[name]?.data as Float32Array;
      let worst = 0;
      for (let i = 0; i < reference.length; i++) {
        const [a, b] = [Number(data[i]), Number(reference[i])];
        worst = Math.max(worst, Math.abs(a - b) / Math.max(1, Math.abs(b)));
      }
      expect(data.length).toBe(reference.length);
      expect(worst).toBeLessThan(1e-5);
    }
    await reference.release();
    session.release();
  });
});
