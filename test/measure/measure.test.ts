/** Needs the addon. No absolute time is asserted: the machine may be busy. */
import { afterAll, describe, expect, it } from 'vitest';
import { createDevice } from '../../src/device/ort.js';
import { UsageError } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, withGraph } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { benchModel } from '../../src/measure/bench-task.js';
import { measureLatencyBriefly, measureModel } from '../../src/measure/measure.js';
import { measureRoofline } from '../../src/measure/peaks.js';
import { encodeReferenceModel } from '../../src/measure/reference-model.js';
import { Rng } from '../../src/util/random.js';

const CHANNELS = 16;
const SIZE = 16;
const KERNEL_FLOATS = CHANNELS * CHANNELS * 9;

/** `depth` 3×3 convolutions in a row, [N, 16, 16, 16] → the same. */
function createConvNet(depth: number): Graph {
  const rng = new Rng('conv-net');
  const builder = new GraphBuilder('conv-net');
  let value = builder.input('image', 'float32', ['N', CHANNELS, SIZE, SIZE]);
  for (let layer = 0; layer < depth; layer++) {
    const kernel = builder.initializer({
      name: `kernel.${layer}`,
      role: 'weight',
      dtype: 'float32',
      dims: [CHANNELS, CHANNELS, 3, 3],
      data: Float32Array.from({ length: KERNEL_FLOATS }, () => rng.normal() / 12),
    });
    value = builder.op('Conv', [value, kernel], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] });
  }
  builder.output(value, 'features');
  return builder.build();
}

const fast = encodeModel(createConvNet(4));
const slow = encodeModel(createConvNet(16));

const device = createDevice({ threads: 1 });
afterAll(() => device.close());

const stopping = { relativeHalfWidth: 0.5, minSamples: 6, minSeconds: 0, maxSeconds: 0.2 };
const benchArgs = {
  model: fast,
  reference: encodeReferenceModel(),
  session: device.sessionOptions(),
  dims: { image: [1, CHANNELS, SIZE, SIZE] },
  seed: 1,
  stopping,
};

describe('measureModel', () => {
  it('reports what the contract names, consistent in itself', async () => {
    const result = await measureModel(device, fast, { seconds: 1, dims: { N: 2 } });
    expect(result).toMatchObject({
      device: 'cpu',
      provider: 'cpu',
      threads: 1,
      inputs: { image: { shape: [2, CHANNELS, SIZE, SIZE], type: 'float32' } },
      cost: { params: 4 * KERNEL_FLOATS, macs: 4 * 2 * KERNEL_FLOATS * SIZE * SIZE },
    });
    const { min, p50, p90, p95, p99, mean, stddev, ci95 } = result.latencyMs;
    expect([min, p50, p90, p95, p99].toSorted((a, b) => a - b)).toEqual([min, p50, p90, p95, p99]);
    expect(min).toBeGreaterThan(0);
    expect(mean).toBeGreaterThanOrEqual(min);
    expect(stddev).toBeGreaterThan(0);
    expect(ci95[0]).toBeLessThanOrEqual(p50);
    expect(ci95[1]).toBeGreaterThanOrEqual(p50);
    expect(result.correctedMs.p50 / p50).toBeGreaterThan(0.5);
    expect(result.correctedMs.p50 / p50).toBeLessThan(2);
    expect(result.samples).toBeGreaterThan(10);
    expect(result.discarded).toBeGreaterThanOrEqual(0);
    expect(result.coldStart.loadMs).toBeGreaterThan(0);
    expect(result.coldStart.firstRunMs).toBeGreaterThan(min);
    expect(result.flags).not.toContain('output-mismatch');
    expect(result.flags).not.toContain('below-floor');

    const { weightsBytes, activationPeakBytes, arenaPeakBytes, processPeakBytes } = result.memory;
    expect(weightsBytes).toBe(4 * 4 * KERNEL_FLOATS);
    expect(activationPeakBytes).toBe(2 * 4 * 2 * CHANNELS * SIZE * SIZE);
    expect(arenaPeakBytes).toBeGreaterThan(activationPeakBytes / 2);
    expect(processPeakBytes).toBeGreaterThan(weightsBytes);
    expect(processPeakBytes).toBeLessThan(500e6);
  });

  it('sees that four times the work takes longer', async () => {
    const options = { seconds: 1, dims: { N: 1 } };
    const a = await measureModel(device, fast, options);
    const b = await measureModel(device, slow, options);
    expect(b.latencyMs.p50 / a.latencyMs.p50).toBeGreaterThan(1.5);
  });

  it('refuses what is no model, and options that do not fit it', async () => {
    await expect(measureModel(device, Uint8Array.of(1, 2, 3))).rejects.toThrow(UsageError);
    await expect(measureModel(device, fast, { dims: { M: 2 } })).rejects.toThrow(
      'dims: expected symbolic dimensions (N), received M',
    );
    await expect(measureModel(device, fast, { dims: { N: 0.5 } })).rejects.toThrow(/whole number/);
    await expect(measureModel(device, fast, { seconds: 0 })).rejects.toThrow(/above 0/);
  });

  it('passes on what ONNX Runtime says of a model that it refuses', async () => {
    const node = { name: 'n', op: 'NoSuchOp', domain: '', inputs: ['image'], outputs: ['y'] };
    const builder = new GraphBuilder('unknown');
    builder.input('image', 'float32', [4]);
    const unknown = withGraph(builder.build(), {
      nodes: [{ ...node, attributes: {} }],
      outputs: [{ name: 'y', dtype: 'float32', shape: [4] }],
    });
    await expect(measureModel(device, encodeModel(unknown))).rejects.toThrow(/NoSuchOp/);
  });
});

describe('measureLatencyBriefly', () => {
  it('ranks as the full measurement does', async () => {
    const a = await measureLatencyBriefly(device, fast, { seconds: 0.3 });
    const b = await measureLatencyBriefly(device, slow, { seconds: 0.3 });
    expect(b.p50Ms / a.p50Ms).toBeGreaterThan(1.5);
    expect(a.samples).toBeGreaterThan(5);
    expect(a.ci95[0]).toBeLessThanOrEqual(a.p50Ms);
    expect(a.ci95[1]).toBeGreaterThanOrEqual(a.p50Ms);
  });
});

describe('benchModel', () => {
  it('flags outputs that a second run of the same input does not give', async () => {
    const builder = new GraphBuilder('random');
    builder.input('image', 'float32', [4]);
    const node = {
      name: 'noise',
      op: 'RandomNormalLike',
      domain: '',
      inputs: ['image'],
      outputs: ['noise'],
      attributes: {},
    };
    const random = withGraph(builder.build(), {
      nodes: [node],
      outputs: [{ name: 'noise', dtype: 'float32', shape: [4] }],
    });
    const result = await benchModel({ ...benchArgs, model: encodeModel(random) });
    expect(result.flags).toContain('output-mismatch');
  });

  it('groups runs that are short beside the clock', async () => {
    const builder = new GraphBuilder('tiny');
    builder.output(builder.op('Relu', [builder.input('image', 'float32', [4])]), 'y');
    const result = await benchModel({ ...benchArgs, model: encodeModel(builder.build()) });
    expect(result.flags).toContain('grouped');
    expect((await benchModel({ ...benchArgs, model: slow })).flags).not.toContain('grouped');
  });

  it('flags a latency below the physics floor', async () => {
    const possible = await benchModel({ ...benchArgs, work: { macs: 1, bytes: 0 } });
    expect(possible.flags).not.toContain('below-floor');
    const impossible = await benchModel({ ...benchArgs, work: { macs: 1e12, bytes: 0 } });
    expect(impossible.flags).toContain('below-floor');
  });

  it('says that a budget of nothing left the median unknown', async () => {
    const result = await benchModel({
      ...benchArgs,
      stopping: { ...stopping, relativeHalfWidth: 0, maxSeconds: 0 },
    });
    expect(result.steady).toBe(false);
    expect(result.flags).toEqual(expect.arrayContaining(['unsettled', 'wide-interval']));
  });
});

describe('measureRoofline', () => {
  it('measures bandwidth only for work that no cache holds', async () => {
    const options = device.sessionOptions();
    const small = await measureRoofline(options, { macs: 0, bytes: 0 });
    expect(small.flopsPerSecond).toBeGreaterThan(1e8);
    expect(small.bytesPerSecond).toBe(Number.POSITIVE_INFINITY);
    if (!Number.isFinite(small.cacheBytes)) return;
    const large = await measureRoofline(options, { macs: 0, bytes: small.cacheBytes + 1 });
    expect(large.bytesPerSecond).toBeGreaterThan(1e8);
    expect(large.bytesPerSecond).toBeLessThan(1e13);
  });
});
