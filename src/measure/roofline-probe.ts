/**
 * Peaks as ONNX Runtime's kernels reach them, for devices that no native micro-benchmark of ours
 * runs on: a large matrix product, and an element-wise sum of tensors larger than any cache, both
 * with tensors that stay on the device. The sizes grow until a run lasts long enough for its launch
 * and the clock not to matter, since devices differ by five orders of magnitude.
 */
import { GraphBuilder } from '../ir/builder.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { Session, type SessionOptions } from '../runtime/runtime.js';
import { encodeFloat16 } from '../util/half.js';
import { Rng } from '../util/random.js';
import { createTensorData, elementCount, type HostTensor } from '../util/tensor.js';
import type { Peak } from './roofline.js';
import { median, quantile, sortSamples } from './statistics.js';

/** A model that runs at a peak rate, and what one run of it does. */
export interface Probe {
  readonly model: Uint8Array;
  readonly work: number;
}

/** Sides of the square matrices, ascending. */
const SIDES = [256, 512, 1024, 2048, 4096];
/** Elements of each tensor that is summed: 4 MiB to 128 MiB, what a WebGPU buffer may bind. */
const COUNTS = [2 ** 20, 2 ** 22, 2 ** 24, 2 ** 25];
/** A run of this length is long enough. */
const ENOUGH_NS = 5e6;
/** Time that the samples of one peak may take together, and how many there are within it. */
const BUDGET_NS = 2.5e8;
const MIN_SAMPLES = 3;
const MAX_SAMPLES = 50;
/** Random numbers of a tensor before they repeat. */
const BLOCK = 2 ** 16;

/** Peak of matrix products in `dtype`, operations a second. Throws where the device refuses it. */
export function probeArithmetic(
  options: SessionOptions,
  dtype: 'float32' | 'float16' = 'float32',
): Promise<Peak> {
  return probeGrowing(
    SIDES.map((side) => () => createArithmeticProbe(side, dtype)),
    options,
  );
}

/** Peak of memory traffic, bytes read and written a second. */
export function probeBandwidth(options: SessionOptions): Promise<Peak> {
  return probeGrowing(
    COUNTS.map((count) => () => createBandwidthProbe(count)),
    options,
  );
}

/** Peak of rates: the best, and how far the others lie from each other. */
export function summarizePeak(rates: ArrayLike<number>): Peak {
  const sorted = sortSamples([rates]);
  return {
    perSecond: quantile(sorted, 1),
    spread: (quantile(sorted, 0.9) - quantile(sorted, 0.1)) / median(sorted),
    samples: sorted.length,
  };
}

/** Product of an input and a weight, [side, side] each; `work` in operations. */
function createArithmeticProbe(side: number, dtype: 'float32' | 'float16'): Probe {
  const builder = new GraphBuilder('peak-arithmetic');
  const a = builder.input('a', dtype, [side, side]);
  const data = createTensorData(dtype, side * side);
  const rng = new Rng('peak-arithmetic');
  // Random, since multiplying by equal numbers takes less power and may run at a higher clock; and
  // a weight, so that it is packed at load as a model's are.
  for (let i = 0; i < data.length; i++) {
    const value = rng.uniform() - 0.5;
    data[i] = dtype === 'float16' ? encodeFloat16(value) : value;
  }
  const weight = builder.initializer({
    name: 'b',
    role: 'weight',
    dtype,
    dims: [side, side],
    data,
  });
  builder.output(builder.op('MatMul', [a, weight]), 'c');
  return { model: encodeModel(builder.build()), work: 2 * side ** 3 };
}

/** Sum of two inputs of `count` floats; `work` in bytes read and written. */
function createBandwidthProbe(count: number): Probe {
  const builder = new GraphBuilder('peak-bandwidth');
  const a = builder.input('a', 'float32', [count]);
  const b = builder.input('b', 'float32', [count]);
  builder.output(builder.op('Add', [a, b]), 'c');
  return { model: encodeModel(builder.build()), work: 3 * 4 * count };
}

/**
 * A tensor of random numbers, since equal ones take less power to multiply and may run at a higher
 * clock; a block of them over and over, since drawing as many as a GPU needs takes seconds.
 */
function createTensor(dtype: 'float32' | 'float16', dims: readonly number[]): HostTensor {
  const data = createTensorData(dtype, elementCount(dims)) as Float32Array | Uint16Array;
  const rng = new Rng('roofline');
  const block = Math.min(BLOCK, data.length);
  for (let i = 0; i < block; i++) {
    const value = rng.uniform() - 0.5;
    data[i] = dtype === 'float16' ? encodeFloat16(value) : value;
  }
  for (let at = block; at < data.length; at *= 2) data.copyWithin(at, 0, at);
  return { dtype, dims, data };
}

/** The best peak of probes of growing size, up to the first that runs long enough. */
async function probeGrowing(
  probes: readonly (() => Probe)[],
  options: SessionOptions,
): Promise<Peak> {
  let best: Peak | undefined;
  for (const create of probes) {
    const { peak, runNs } = await runProbe(create(), options);
    if (best === undefined || peak.perSecond > best.perSecond) best = peak;
    if (runNs >= ENOUGH_NS) break;
  }
  return best as Peak;
}

async function runProbe(
  { model, work }: Probe,
  options: SessionOptions,
): Promise<{ peak: Peak; runNs: number }> {
  const session = await Session.create(model, options);
  try {
    const feeds = session.inputs.map(({ name, dtype, dims }) => [
      name,
      createTensor(dtype as 'float32' | 'float16', dims),
    ]);
    const timer = await session.createTimer([Object.fromEntries(feeds)], {
      inputs: 'device',
      outputs: 'device',
    });
    try {
      const first = await timer.run({ samples: 1, group: 1 });
      const fitting = Math.floor(BUDGET_NS / first.wallNs);
      const samples = Math.max(MIN_SAMPLES, Math.min(MAX_SAMPLES, fitting));
      const { samplesNs } = await timer.run({ samples, group: 1 });
      return {
        peak: summarizePeak(samplesNs.map((ns) => work / (ns / 1e9))),
        runNs: median(samplesNs),
      };
    } finally {
      timer.release();
    }
  } finally {
    session.release();
  }
}
