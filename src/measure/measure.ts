/**
 * Measuring a model on a device: latency, cold start and memory, by design §4. A measurement holds
 * the device's lease alone and runs in a process of its own, so that cold start and memory are those
 * of a fresh process, and successive measurements share no state.
 */

import type { Device } from '../device/device.js';
import { errorMessage, UsageError } from '../errors.js';
import { type GraphCost, inferCost } from '../ir/cost.js';
import type { Graph } from '../ir/graph.js';
import { decodeModel } from '../ir/onnx/decode.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { ShapeError } from '../ir/shape/shape.js';
import { Runner, TaskError } from '../runtime/runtime.js';
import type { BenchArgs, BenchResult } from './bench-task.js';
import { type ResolvedInputs, resolveInputs } from './dims.js';
import type { InputDims } from './inputs.js';
import { inferLeastWork } from './least-work.js';
import { steadyAllocation } from './memory.js';
import { encodeReferenceModel } from './reference-model.js';
import { readCacheBytes } from './roofline.js';
import type { SamplingMode } from './sampler.js';
import { defaultStopping } from './stopping.js';

export type { BenchFlag } from './flags.js';

export interface BriefOptions {
  /** Time for warming up and sampling together. */
  readonly seconds: number;
  /** Sizes of the model's symbolic dimensions by name; see `dims.ts` for those not given. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Shapes of inputs by name, where the model leaves them open. */
  readonly shapes?: InputDims;
  /** Seed of the random inputs (default 0). */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Gets one line if another process has the device. */
  readonly onWait?: (message: string) => void;
}

export interface MeasureOptions extends Partial<BriefOptions> {
  /** Half-width of the 95 % interval of the median ÷ median to stop at (default 0.01). */
  readonly relativeHalfWidth?: number;
  /** Overwrite the caches before each run: the latency of a model that is not the only one at work. */
  readonly coldCache?: boolean;
  /** A request every so many milliseconds instead of one after the other. */
  readonly everyMs?: number;
  /** Numbers of concurrent streams to measure the throughput of. Takes as long again. */
  readonly streams?: readonly number[];
}

/** What a brief look at the latency gives. */
export interface BriefLatency {
  readonly p50Ms: number;
  readonly ci95: readonly [number, number];
  readonly samples: number;
}

/** One entry of `results` in the contract `archwright.bench/1`, without the model's name. */
export interface Measurement {
  readonly device: string;
  readonly provider: string;
  readonly threads: number;
  readonly inputs: BenchResult['inputs'];
  /** Of single runs, as they were: undisturbed windows, not corrected for drift. */
  readonly latencyMs: {
    readonly p50: number;
    readonly p90: number;
    readonly p95: number;
    readonly p99: number;
    readonly mean: number;
    readonly min: number;
    readonly stddev: number;
    /** 95 % confidence interval of the median. */
    readonly ci95: readonly [number, number];
    /** Those of the percentiles; an end is null where no sample bounds it. */
    readonly percentileCi95: BenchResult['latencyMs']['percentileCi95'];
  };
  /** How runs followed one another. */
  readonly mode: {
    readonly cache: 'warm' | 'cold';
    /** Milliseconds from one request to the next; null for one after the other. */
    readonly everyMs: number | null;
  };
  /** Corrected for drift of the machine, as the reference graph showed it. */
  readonly correctedMs: { readonly p50: number };
  /** Samples that the latency is computed from. */
  readonly samples: number;
  /** Windows (some 20 ms of samples each) left out as disturbed. */
  readonly discarded: number;
  /** Why they were. */
  readonly discardedBy: BenchResult['discardedBy'];
  /** Median in each of the sessions that were measured in turns; their spread is that of chance. */
  readonly sessionsP50Ms: readonly number[];
  readonly coldStart: {
    /** Parsing, optimising and initialising, in a fresh process that has opened ONNX Runtime. */
    readonly loadMs: number;
    readonly firstRunMs: number;
  };
  readonly memory: {
    /** Stored tensors of the file. */
    readonly weightsBytes: number;
    /** Computed from stored tensors when the model is loaded, and kept. */
    readonly foldedBytes: number;
    /** Inputs and intermediate values alive at once, planned from liveness. */
    readonly activationPeakBytes: number;
    /** ONNX Runtime's arena at its highest. */
    readonly arenaPeakBytes: number;
    /** Of that, what was there once the model was loaded. */
    readonly arenaLoadedBytes: number;
    /** Growth of a fresh process at its highest, see `memory.ts`. */
    readonly processPeakBytes: number;
    /** The device's own memory at its highest; null on the CPU and where the provider is silent. */
    readonly devicePeakBytes: number | null;
  };
  /** By number of concurrent streams, those asked for. */
  readonly throughput: BenchResult['throughput'];
  /** Parts of a request to a device; null on the CPU. */
  readonly transfers: BenchResult['transfers'];
  /** Null where no meter can be read; `notes` says why. */
  readonly energy: BenchResult['energy'];
  readonly cost: { readonly params: number; readonly macs: number };
  /** Warmed up to a steady state, and the median is known to `relativeHalfWidth`. */
  readonly steady: boolean;
  readonly flags: BenchResult['flags'];
  /** What was assumed, and what could not be measured and why; a line each. */
  readonly notes: readonly string[];
}

const DEFAULT_SECONDS = 5;
/** Bytes that flush the caches: twice the last level's, within limits; the first where unknown. */
const FLUSH_BYTES = [2 ** 26, 2 ** 28] as const;
/** A brief look is content with a median known to this, relative … */
const BRIEF_HALF_WIDTH = 0.02;
/** … after this share of its time: a few windows, so that their disagreement shows. */
const BRIEF_LEAST_SHARE = 0.3;
/** A task that takes this much longer than its budget hangs: loading and a few runs are outside it. */
const GRACE_MS = 300_000;
const BRIEF_GRACE_MS = 60_000;

/**
 * Measures `model` (bytes of an ONNX file) in full. Takes the device's lease: not to be called by one
 * who holds it. Throws `UsageError` for bad options and for a model that cannot be decoded,
 * `TaskError` for one that ONNX Runtime refuses, `RunnerError` where the process ended.
 */
export async function measureModel(
  device: Device,
  model: Uint8Array,
  options: MeasureOptions = {},
): Promise<Measurement> {
  const decoded = decodeModel(model);
  const inputs = resolveInputs(decoded, options);
  const cost = inferCostOf(inputs);
  const seconds = checkSeconds(options.seconds ?? DEFAULT_SECONDS);
  const { coldCache = false, everyMs, streams = [] } = options;
  const args: BenchArgs = {
    ...baseArgs(device, model, decoded, inputs, options.seed),
    stopping: {
      ...defaultStopping,
      relativeHalfWidth: options.relativeHalfWidth ?? defaultStopping.relativeHalfWidth,
      maxSeconds: seconds,
    },
    mode: createMode(coldCache, everyMs),
    thorough: { work: inferLeastWork(inputs.graph, {}), streams: checkStreams(streams) },
  };
  const result = await device.lease(async () => {
    const runner = new Runner({ environment: steadyAllocation });
    try {
      return await callBench(runner, args, GRACE_MS, options.signal);
    } catch (error) {
      throw explainShapes(error, inputs);
    } finally {
      await runner.close();
    }
  }, options.onWait);
  const { count: samples, outliers: _, ...latencyMs } = result.latencyMs;
  return {
    device: device.id,
    provider: device.provider,
    threads: device.threads,
    inputs: result.inputs,
    latencyMs,
    mode: { cache: coldCache ? 'cold' : 'warm', everyMs: everyMs ?? null },
    correctedMs: result.correctedMs,
    samples,
    discarded: result.discarded,
    discardedBy: result.discardedBy,
    sessionsP50Ms: result.sessionsP50Ms,
    coldStart: result.coldStart,
    memory: {
      weightsBytes: cost.weightsBytes,
      foldedBytes: cost.foldedBytes,
      activationPeakBytes: cost.activationPeakBytes,
      ...result.memory,
    },
    throughput: result.throughput,
    transfers: result.transfers,
    energy: result.energy,
    cost: { params: cost.params, macs: cost.macs },
    steady: result.steady,
    flags: result.flags,
    notes: [...inputs.notes, ...result.notes],
  };
}

/**
 * A brief look at the latency of `model`, in the device's own process, for screening candidates: no
 * memory, no cold start, no physics floor. Lease and errors as those of `measureModel`.
 */
export async function measureLatencyBriefly(
  device: Device,
  model: Uint8Array,
  options: BriefOptions,
): Promise<BriefLatency> {
  const decoded = decodeModel(model);
  const seconds = checkSeconds(options.seconds);
  const args: BenchArgs = {
    ...baseArgs(device, model, decoded, resolveInputs(decoded, options), options.seed),
    stopping: {
      relativeHalfWidth: BRIEF_HALF_WIDTH,
      minSamples: 1,
      minSeconds: BRIEF_LEAST_SHARE * seconds,
      maxSeconds: seconds,
    },
  };
  const { latencyMs } = await device.lease(
    () => callBench(device.runner, args, BRIEF_GRACE_MS, options.signal),
    options.onWait,
  );
  return { p50Ms: latencyMs.p50, ci95: latencyMs.ci95, samples: latencyMs.count };
}

function baseArgs(
  device: Device,
  model: Uint8Array,
  decoded: Graph,
  { graph, dims }: ResolvedInputs,
  seed = 0,
) {
  return {
    model: withKnownRanks(model, decoded, graph),
    reference: encodeReferenceModel(),
    session: device.sessionOptions(),
    dims,
    seed,
  };
}

/**
 * `model`, or `fixed` in its place where an input of it has no known rank: ONNX Runtime takes that
 * for a scalar, unless the file says what it is.
 */
export function withKnownRanks(model: Uint8Array, decoded: Graph, fixed: Graph): Uint8Array {
  return decoded.inputs.some(({ shape }) => shape === undefined) ? encodeModel(fixed) : model;
}

function createMode(coldCache: boolean, everyMs: number | undefined): SamplingMode {
  if (everyMs !== undefined && !(Number.isFinite(everyMs) && everyMs > 0)) {
    throw new UsageError(`everyMs: expected a number above 0, received ${everyMs}`);
  }
  const cacheBytes = readCacheBytes();
  const flushBytes = Number.isFinite(cacheBytes)
    ? Math.min(FLUSH_BYTES[1], Math.max(FLUSH_BYTES[0], 2 * cacheBytes))
    : FLUSH_BYTES[0];
  return {
    ...(coldCache && { flushBytes }),
    ...(everyMs !== undefined && { intervalNs: Math.round(everyMs * 1e6) }),
  };
}

function checkStreams(streams: readonly number[]): readonly number[] {
  const odd = streams.find((count) => !Number.isSafeInteger(count) || count < 1);
  if (odd === undefined) return streams;
  throw new UsageError(`streams: expected whole numbers from 1, received ${odd}`);
}

/** `inferCost`; what fails with shapes that were assumed is a question to the user. */
export function inferCostOf(inputs: ResolvedInputs): GraphCost {
  try {
    return inferCost(inputs.graph);
  } catch (error) {
    throw explainShapes(error, inputs);
  }
}

/** What fails with shapes that were assumed is a question to the user. */
export function explainShapes(error: unknown, { notes }: Pick<ResolvedInputs, 'notes'>): unknown {
  const isOfShapes =
    error instanceof ShapeError ||
    (error instanceof TaskError && error.message.includes('the run failed'));
  if (!isOfShapes || notes[0] === undefined) return error;
  return new UsageError(
    `the model does not run with a shape that was assumed: ${notes[0]} (${errorMessage(error)})`,
    {
      cause: error,
    },
  );
}

function callBench(
  runner: Runner,
  args: BenchArgs,
  graceMs: number,
  signal: AbortSignal | undefined,
): Promise<BenchResult> {
  const module = new URL('bench-task.js', import.meta.url).href;
  return runner.call<BenchResult>(
    { module, name: 'benchModel', args },
    {
      timeoutMs: args.stopping.maxSeconds * 1e3 + graceMs,
      ...(signal === undefined ? {} : { signal }),
    },
  );
}

function checkSeconds(seconds: number): number {
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new UsageError(`seconds: expected a number above 0, received ${seconds}`);
}
