/** Needs the addon. No absolute time is asserted: the machine may be busy. */
import { afterAll, describe, expect, it } from 'vitest';
import { createDevice } from '../../src/device/ort.js';
import { UsageError } from '../../src/errors.js';
import { GraphBuilder } from '../../src/ir/builder.js';
import { type Graph, withGraph } from '../../src/ir/graph.js';
import { encodeModel } from '../../src/ir/onnx/encode.js';
import { benchModel } from '../../src/measure/bench-task.js';
import { measureLatencyBriefly, measureModel } from '../../src/measure/measure.js';
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
    const reasons = Object.values(result.discardedBy).reduce((sum, count) => sum + count, 0);
    expect(result.discarded).toBe(reasons);
    expect(result.mode).toEqual({ cache: 'warm', everyMs: null });
    expect(result.sessionsP50Ms.length).toBeGreaterThan(1);
    for (const session of result.sessionsP50Ms) expect(session).toBeGreaterThanOrEqual(min);
    const { p90: ci90, p99: ci99 } = result.latencyMs.percentileCi95;
    expect(ci90[0] ?? 0).toBeLessThanOrEqual(p90);
    expect(ci99[1] ?? p99).toBeGreaterThanOrEqual(p99);
    expect(result.transfers).toBeNull();
    expect(result.throughput).toEqual([]);
    if (result.energy === null) expect(result.notes.join()).toMatch(/energy: /);
    else expect(result.energy.joulesPerRun).toBeGreaterThan(0);
    expect(result.coldStart.loadMs).toBeGreaterThan(0);
    expect(result.coldStart.firstRunMs).toBeGreaterThan(min);
    for (const fault of ['output-mismatch', 'below-floor', 'caches-by-input', 'clock-fault']) {
      expect(result.flags).not.toContain(fault);
    }

    const { weightsBytes, activationPeakBytes, arenaPeakBytes, processPeakBytes, devicePeakBytes } =
      result.memory;
    expect(devicePeakBytes).toBeNull();
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

  it('measures with cold caches, paced, and in streams', async () => {
    const options = { seconds: 1, dims: { N: 1 } };
    const cold = await measureModel(device, fast, { ...options, coldCache: true });
    expect(cold.mode).toEqual({ cache: 'cold', everyMs: null });
    const paced = await measureModel(device, fast, { ...options, everyMs: 10 });
    expect(paced.mode).toEqual({ cache: 'warm', everyMs: 10 });
    // A hundred requests fit into a second, some of which warmed up.
    expect(paced.samples).toBeLessThanOrEqual(100);
    expect(paced.samples).toBeGreaterThanOrEqual(5);
    const { throughput } = await measureModel(device, fast, { ...options, streams: [1, 2] });
    expect(throughput.map(({ streams }) => streams)).toEqual([1, 2]);
    for (const { runsPerSecond, runsPerSecondRange, latencyMs, runs } of throughput) {
      expect(runsPerSecondRange[0]).toBeLessThanOrEqual(runsPerSecond);
      expect(runsPerSecondRange[1]).toBeGreaterThanOrEqual(runsPerSecond);
      expect(latencyMs.p99).toBeGreaterThanOrEqual(latencyMs.p50);
      expect(runs).toBeGreaterThan(10);
    }
  });

  it('finds the same process peak whether a model is measured first or after others', async () => {
    const options = { seconds: 0.1, dims: { N: 4 } };
    const peaks: number[] = [];
    for (let i = 0; i < 4; i++) {
      peaks.push((await measureModel(device, fast, options)).memory.processPeakBytes);
      await measureModel(device, slow, options);
    }
    expect(Math.max(...peaks) / Math.min(...peaks)).toBeLessThan(1.03);
  });

  it('asks for the shape with which a model runs', async () => {
    const builder = new GraphBuilder('picky');
    const x = builder.input('x', 'float32', ['count']);
    const shape = builder.ints([3, -1]);
    builder.output(builder.op('Reshape', [x, shape]), 'y');
    const picky = encodeModel(builder.build());
    const failing = measureModel(device, picky, { seconds: 0.1 });
    await expect(failing).rejects.toThrow(UsageError);
    await expect(failing).rejects.toThrow(/input x is \[count\]: assumed 1; else give --shape x=1/);
    const { inputs } = await measureModel(device, picky, { seconds: 0.1, shapes: { x: [6] } });
    expect(inputs.x?.shape).toEqual([6]);
  });

  it('takes an input of unknown rank once its shape is given', async () => {
    const builder = new GraphBuilder('rankless');
    builder.output(builder.op('Relu', [builder.input('x', 'float32', ['N'])]), 'y');
    const graph = builder.build();
    const rankless = encodeModel(
      withGraph(graph, {
        inputs: [{ name: 'x', dtype: 'float32' }],
        outputs: [{ name: 'y', dtype: 'float32' }],
      }),
    );
    await expect(measureModel(device, rankless)).rejects.toThrow(
      /its shape is unknown; give --shape/,
    );
    const options = { seconds: 0.1, shapes: { x: [2, 3] } };
    expect((await measureModel(device, rankless, options)).inputs.x?.shape).toEqual([2, 3]);
  });

  it('refuses what is no model, and options that do not fit it', async () => {
    await expect(measureModel(device, Uint8Array.of(1, 2, 3))).rejects.toThrow(UsageError);
    await expect(measureModel(device, fast, { dims: { M: 2 } })).rejects.toThrow(
      'dims: expected symbolic dimensions (N), received M',
    );
    await expect(measureModel(device, fast, { dims: { N: 0.5 } })).rejects.toThrow(/whole number/);
    await expect(measureModel(device, fast, { seconds: 0 })).rejects.toThrow(/above 0/);
    await expect(measureModel(device, fast, { everyMs: -1 })).rejects.toThrow(/everyMs: .*above 0/);
    await expect(measureModel(device, fast, { streams: [0] })).rejects.toThrow(/streams: .*from 1/);
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
    const withWork = (macs: number) =>
      benchModel({ ...benchArgs, thorough: { work: { macs, bytes: 0 }, streams: [] } });
    const possible = await withWork(1);
    expect(possible.flags).not.toContain('below-floor');
    const impossible = await withWork(1e12);
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
