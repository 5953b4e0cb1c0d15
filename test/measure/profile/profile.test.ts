/** Needs the addon; WebGPU where it can run. Sums have wide tolerances: the machine may be busy. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { createDevice } from '../../../src/device/ort.js';
import { UsageError } from '../../../src/errors.js';
import { GraphBuilder } from '../../../src/ir/builder.js';
import { encodeModel } from '../../../src/ir/onnx/encode.js';
import { type ModelProfile, profileModel } from '../../../src/measure/profile.js';
import { Rng } from '../../../src/util/random.js';
import { withVulkan } from '../../device/vulkan.js';
import { createBranching } from './branching.js';

const CHANNELS = 16;
const SIZE = 24;

/** Three convolutions with activations, and a product: [N, 16, 24, 24] → [N, 10]. */
function createNet(): Uint8Array {
  const rng = new Rng('profiled');
  const builder = new GraphBuilder('profiled');
  const weight = (name: string, dims: readonly number[]) => {
    const length = dims.reduce((product, dim) => product * dim, 1);
    const data = Float32Array.from({ length }, () => rng.normal() / 10);
    return builder.initializer({ name, role: 'weight', dtype: 'float32', dims, data });
  };
  let value = builder.input('image', 'float32', ['N', CHANNELS, SIZE, SIZE]);
  for (const name of ['a', 'b', 'c']) {
    const kernel = weight(name, [CHANNELS, CHANNELS, 3, 3]);
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    value = builder.op('Relu', [builder.op('Conv', [value, kernel], attributes)]);
  }
  const flat = builder.op('Flatten', [value]);
  builder.output(builder.op('Gemm', [flat, weight('head', [CHANNELS * SIZE * SIZE, 10])]), 'y');
  return encodeModel(builder.build());
}

const net = createNet();
const options = { seconds: 0.5, dims: { N: 1 } };
const brief = { seconds: 0.3 };
const cpu = createDevice({ threads: 1 });
afterAll(() => cpu.close());

/** What holds of every profile, whatever the machine does meanwhile. */
function expectConsistent(profile: ModelProfile): void {
  const kernels = profile.kernels.reduce((sum, { latencyMs }) => sum + latencyMs, 0);
  expect(kernels + profile.rest.latencyMs).toBeCloseTo(profile.totalMs, 9);
  expect(profile.coverage).toBeCloseTo(profile.totalMs / profile.latencyMs.p50, 9);
  const added = profile.kernels.filter(({ nodes }) => nodes.length === 0);
  const own = profile.nodes.reduce((sum, { latencyMs }) => sum + latencyMs, 0);
  const beside = added.reduce((sum, { latencyMs }) => sum + latencyMs, profile.rest.latencyMs);
  expect(own + beside).toBeCloseTo(profile.totalMs, 9);
  expect(profile.byOp.reduce((sum, { latencyMs }) => sum + latencyMs, 0)).toBeCloseTo(kernels, 9);
  expect(profile.byOp.reduce((sum, { count }) => sum + count, 0)).toBe(profile.kernels.length);
  for (const { fate, kernels: by } of profile.nodes) {
    if (fate === 'kernel' || fate === 'fused') expect(by.length).toBeGreaterThan(0);
  }
}

describe('profileModel on the CPU', () => {
  it('adds up to the latency, and knows the work of each kernel', async () => {
    const before = new Set(readdirSync(tmpdir()));
    const { profile, trace } = await profileModel(cpu, net, options);
    expectConsistent(profile);
    expect(profile.coverage).toBeGreaterThan(0.75);
    expect(profile.coverage).toBeLessThan(1.25);
    expect(profile.profilerCost?.perEventUs).toBeGreaterThanOrEqual(0);
    expect(profile.rest.what).toBe('runtime');
    expect(profile.roofline?.flopsPerSecond).toBeGreaterThan(1e8);

    const convolutions = profile.kernels.filter(({ op }) => op === 'Conv+Relu');
    expect(convolutions.map(({ nodes }) => nodes.length)).toEqual([2, 2, 2]);
    for (const kernel of convolutions) {
      const values = 4 * CHANNELS * SIZE * SIZE;
      expect(kernel.flops).toBe(2 * 9 * CHANNELS ** 2 * SIZE ** 2);
      expect(kernel.bytes).toBe(2 * values + 4 * 9 * CHANNELS ** 2);
      expect(kernel.intensity).toBeCloseTo((kernel.flops ?? 0) / kernel.bytes, 9);
      expect(kernel.rooflineShare).toBeGreaterThan(0);
      expect(kernel.memory.outputBytes).toBe(values);
      expect(kernel.fallback).toBe(false);
    }
    const [first] = profile.byOp;
    expect(first).toMatchObject({ op: 'Conv+Relu', count: 3 });
    expect(first?.share).toBeGreaterThan(0.5);

    const slices = trace.traceEvents.filter(({ ph }) => ph === 'X');
    const estimated = slices.filter(({ tid }) => tid === 1);
    const total = estimated.reduce((sum, { dur }) => sum + (dur ?? 0), 0);
    expect(total / 1e3).toBeCloseTo(profile.totalMs, 9);
    expect(estimated.map(({ name }) => name)).toContain(convolutions[0]?.name);
    expect(slices.some(({ tid }) => tid === 2)).toBe(true);
    const left = readdirSync(tmpdir()).filter(
      (name) => name.startsWith('archwright-profile-') && !before.has(name),
    );
    expect(left).toEqual([]);
  });

  it('accounts bodies to their node, with the kernels inside by name', async () => {
    const { profile } = await profileModel(cpu, encodeModel(createBranching()), brief);
    expectConsistent(profile);
    const choice = profile.kernels.find(({ op }) => op === 'If');
    expect(choice?.name).toBe('choice');
    expect(choice?.body).toMatchObject([{ name: 'inner' }]);
    expect(choice?.latencyMs).toBeGreaterThanOrEqual(choice?.body[0]?.latencyMs ?? 1);
  });

  it('refuses what is no model, and options that do not fit it', async () => {
    await expect(profileModel(cpu, Uint8Array.of(1, 2))).rejects.toThrow(UsageError);
    await expect(profileModel(cpu, net, { dims: { M: 2 } })).rejects.toThrow(/N/);
    await expect(profileModel(cpu, net, { seconds: 0 })).rejects.toThrow(/above 0/);
  });

  it('removes its files where the model is refused', async () => {
    const before = new Set(readdirSync(tmpdir()));
    const builder = new GraphBuilder('refused');
    const a = builder.input('a', 'float32', ['P', 'Q']);
    builder.output(builder.op('MatMul', [a, builder.input('b', 'float32', ['R', 'S'])]), 'y');
    const bad = { seconds: 0.1, dims: { P: 2, Q: 3, R: 4, S: 5 } };
    await expect(profileModel(cpu, encodeModel(builder.build()), bad)).rejects.toThrow();
    const left = readdirSync(tmpdir()).filter(
      (name) => name.startsWith('archwright-profile-') && !before.has(name),
    );
    expect(left).toEqual([]);
  });
});

describe.skipIf(!withVulkan())('profileModel on WebGPU', () => {
  const gpu = createDevice({ id: 'webgpu', threads: 1 });
  afterAll(() => gpu.close());

  it('has the device’s own times, and shows what is launch and synchronisation', async () => {
    const { profile, trace } = await profileModel(gpu, net, { ...options, seconds: 1.5 });
    expectConsistent(profile);
    expect(profile.profilerCost).toBeNull();
    expect(profile.rest.what).toBe('launch-and-synchronisation');
    const convolutions = profile.kernels.filter(({ op }) => op.startsWith('Conv'));
    expect(convolutions.length).toBe(3);
    for (const { deviceMs, latencyMs } of convolutions) {
      expect(deviceMs).toBeGreaterThan(0);
      expect(latencyMs).toBe(deviceMs);
    }
    expect(trace.traceEvents.some(({ ph, tid }) => ph === 'X' && tid === 3)).toBe(true);
  });
});
