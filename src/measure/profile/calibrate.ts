/**
 * What ONNX Runtime's profiler costs inside the event of a kernel, measured on chains of kernels that
 * do next to nothing: their time with profiling, by the events, less their time without, by the wall
 * clock. Chains that differ in the number of tensors and of dimensions tell what each of these adds.
 */
import { GraphBuilder } from '../../ir/builder.js';
import { encodeModel } from '../../ir/onnx/encode.js';
import { Session, type SessionOptions } from '../../runtime/runtime.js';
import { Rng } from '../../util/random.js';
import { createInputSets } from '../inputs.js';
import { median } from '../statistics.js';
import { parseProfile } from './events.js';
import type { ProfileFiles } from './files.js';
import type { ProfilerCost } from './times.js';

const LENGTH = 48;
const SHORT_LENGTH = 8;
const WINDOWS = 4;
const RUNS = 25;

interface ChainTime {
  /** Without profiling, a run. */
  readonly runUs: number;
  /** Inside an event and not the kernel's. */
  readonly costUs: number;
}

/** Measures the profiler on the host, with the threads of `options`. */
export async function calibrateProfiler(
  options: SessionOptions,
  files: ProfileFiles,
): Promise<ProfilerCost> {
  const host: SessionOptions = { threads: options.threads, optimization: 'none', provider: 'cpu' };
  const time = (length: number, inputs: number, dims: readonly number[]) =>
    timeChain(createChain(length, inputs, dims), length, host, files);
  const short = await time(SHORT_LENGTH, 1, []);
  const plain = await time(LENGTH, 1, []);
  const wide = await time(LENGTH, 4, []);
  const deep = await time(LENGTH, 1, [1, 1, 1, 1]);
  const perKernelUs = (plain.runUs - short.runUs) / (LENGTH - SHORT_LENGTH);
  // A kernel with one input and one output writes two tensors, here of four dimensions each.
  const perTensorUs = Math.max(0, (wide.costUs - plain.costUs) / 3);
  return {
    perEventUs: Math.max(0, plain.costUs - 2 * perTensorUs),
    perTensorUs,
    perDimUs: Math.max(0, (deep.costUs - plain.costUs) / 8),
    leastKernelUs: perKernelUs,
    perRunUs: Math.max(0, short.runUs - SHORT_LENGTH * perKernelUs),
  };
}

/** `length` times Neg, or Sum with the graph's input in the further places. */
function createChain(length: number, inputs: number, dims: readonly number[]): Uint8Array {
  const builder = new GraphBuilder('chain');
  const input = builder.input('input', 'float32', dims);
  const rest = new Array<string>(inputs - 1).fill(input);
  let value = input;
  for (let i = 0; i < length; i++) {
    value = inputs === 1 ? builder.op('Neg', [value]) : builder.op('Sum', [value, ...rest]);
  }
  builder.output(value, 'output');
  return encodeModel(builder.build());
}

async function timeChain(
  model: Uint8Array,
  length: number,
  options: SessionOptions,
  files: ProfileFiles,
): Promise<ChainTime> {
  const plain = await Session.create(model, options);
  const profiled = await Session.create(model, { ...options, profilePrefix: files.prefix() });
  const sets = createInputSets(plain.inputs, {}, 1, new Rng('chain'));
  const timers = [await plain.createTimer(sets), await profiled.createTimer(sets)] as const;
  const samples: number[] = [];
  for (let i = 0; i < WINDOWS; i++) {
    const { samplesNs } = await timers[0].run({ samples: 4 * RUNS, group: 1 });
    samples.push(...samplesNs.subarray(RUNS));
    await timers[1].run({ samples: RUNS, group: 1 });
  }
  const { runs } = parseProfile(files.takeText(profiled.endProfiling()));
  for (const timer of timers) timer.release();
  for (const session of [plain, profiled]) session.release();
  const runUs = median(samples) / 1e3;
  const counted = runs
    .slice(-WINDOWS * RUNS)
    .map(({ kernels }) => kernels.reduce((sum, { durationUs }) => sum + durationUs, 0));
  return { runUs, costUs: (median(counted) - runUs) / length };
}
