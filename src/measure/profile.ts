/**
 * Profiling a model on a device: the time of each kernel in a session of its own, mapped back to the
 * nodes of the user's graph, with work and share of the roofline, beside the latency of a session
 * that was not profiled. What is measured and what is estimated is said in `profile/times.ts`.
 */
import type { Device } from '../device/device.js';
import { UsageError } from '../errors.js';
import { type Graph, withGraph } from '../ir/graph.js';
import { decodeModel } from '../ir/onnx/decode.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { renameModel } from '../ir/onnx/rename.js';
import { Runner } from '../runtime/runtime.js';
import { resolveInputs } from './dims.js';
import type { InputDims } from './inputs.js';
import { explainShapes } from './measure.js';
import type { RuntimeGraph } from './profile/fate.js';
import { withProfileFolder } from './profile/files.js';
import { markGraph } from './profile/mark.js';
import type { ProfileArgs, ProfileResult } from './profile/profile-task.js';
import { createReport, type ProfileReport } from './profile/report.js';
import { createTrace, type Trace } from './profile/trace.js';

export type { KernelProfile, NodeProfile, OpProfile } from './profile/report.js';

export interface ProfileOptions {
  /** Sizes of the model's symbolic dimensions by name; see `dims.ts` for those not given. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Shapes of inputs by name, where the model leaves them open. */
  readonly shapes?: InputDims;
  /** Seed of the random inputs (default 0). */
  readonly seed?: number;
  /** Time for warming up and sampling together (default 3); a slow model takes what it must. */
  readonly seconds?: number;
  readonly signal?: AbortSignal;
  /** Gets one line if another process has the device. */
  readonly onWait?: (message: string) => void;
}

/** What a flag means. */
export const profileFlags = {
  coverage: 'kernels and rest add up to more than a tenth beside the latency',
  'no-roofline': 'the peaks of the device could not be measured',
  'no-runtime-graph':
    'the provider does not tell its graph; kernels are mapped to nodes by names alone',
  'no-device-time': 'the device does not tell the time of its kernels: only launches are seen',
} as const;

export type ProfileFlag = keyof typeof profileFlags;

/** One model in the contract `archwright.profile/1`, without the model's name. */
export interface ModelProfile extends ProfileReport {
  readonly device: string;
  readonly provider: string;
  readonly threads: number;
  readonly inputs: ProfileResult['inputs'];
  /** What was assumed of the inputs' shapes. */
  readonly notes: readonly string[];
  /** Measured in the session that is not profiled. */
  readonly latencyMs: {
    readonly p50: number;
    readonly ci95: readonly [number, number];
    readonly samples: number;
  };
  /** Median wall time of a run of the profiled session. */
  readonly profiledMs: number;
  /** Runs that the times of the kernels are averaged over. */
  readonly runs: number;
  /** Kernels and `rest` together. */
  readonly totalMs: number;
  /** `totalMs` ÷ `latencyMs.p50`. */
  readonly coverage: number;
  /** Of a run, beside its kernels. */
  readonly rest: {
    /**
     * `runtime`: ONNX Runtime's own time, measured on graphs that do next to nothing.
     * `launch-and-synchronisation`: the profiled run less its kernels; the device has nothing to do.
     */
    readonly what: 'runtime' | 'launch-and-synchronisation';
    readonly latencyMs: number;
    readonly share: number;
  };
  /** What the profiler added to the kernels' events and was taken off again; null where nothing. */
  readonly profilerCost: {
    readonly perEventUs: number;
    readonly perTensorUs: number;
    readonly perDimUs: number;
    /** Calibrated cost × this was taken off; 1 where the calibration was exact. */
    readonly scale: number;
    /** What `coverage` would be with the cost as calibrated: how much there was to be fitted. */
    readonly unscaledCoverage: number;
  } | null;
  /** Peaks that `rooflineShare` refers to. */
  readonly roofline: { readonly flopsPerSecond: number; readonly bytesPerSecond: number } | null;
  readonly flags: readonly ProfileFlag[];
}

/** A profile, and a run of it as a Chrome trace. */
export interface Profiled {
  readonly profile: ModelProfile;
  readonly trace: Trace;
}

const DEFAULT_SECONDS = 3;
/** A task that takes this much longer than its budget hangs: loading and a few runs are outside it. */
const GRACE_MS = 600_000;
/** Sums beside the latency by more than this are flagged. */
const COVERAGE_TOLERANCE = 0.1;

/**
 * Profiles `model` (bytes of an ONNX file). Takes the device's lease: not to be called by one who
 * holds it. Throws `UsageError` for bad options and for a model that cannot be decoded, `TaskError`
 * for one that ONNX Runtime refuses, `RunnerError` where the process ended.
 */
export async function profileModel(
  device: Device,
  model: Uint8Array,
  options: ProfileOptions = {},
): Promise<Profiled> {
  const graph = decodeModel(model);
  const resolved = resolveInputs(graph, { dims: options.dims, shapes: options.shapes });
  const marked = markGraph(graph);
  const seconds = checkSeconds(options.seconds ?? DEFAULT_SECONDS);
  const result = await withProfileFolder((folder) =>
    device.lease(
      () =>
        callProfile(
          {
            model: nameModel(model, marked.graph, resolved.graph),
            nodes: graph.nodes.length,
            session: device.sessionOptions(),
            dims: resolved.dims,
            seed: options.seed ?? 0,
            seconds,
            folder,
          },
          options.signal,
        ),
      options.onWait,
    ),
  ).catch((error: unknown) => {
    throw explainShapes(error, resolved);
  });
  const onHost = result.times.fit !== null;
  const runtime = readRuntimeGraph(result.runtimeModel);
  const { times, roofline, latencyUs, cost } = result;
  const report = createReport({
    graph: resolved.graph,
    marked,
    runtime,
    kernels: times.kernels,
    restUs: times.restUs,
    onHost: device.provider === 'cpu',
    roofline,
  });
  const totalMs = report.kernels.reduce((sum, k) => sum + k.latencyMs, times.restUs / 1e3);
  const coverage = totalMs / (latencyUs.p50 / 1e3);
  const profile: ModelProfile = {
    device: device.id,
    provider: device.provider,
    threads: device.threads,
    inputs: result.inputs,
    notes: resolved.notes,
    latencyMs: {
      p50: latencyUs.p50 / 1e3,
      ci95: [latencyUs.ci95[0] / 1e3, latencyUs.ci95[1] / 1e3],
      samples: latencyUs.samples,
    },
    profiledMs: result.profiledUs / 1e3,
    runs: times.runs,
    totalMs,
    coverage,
    rest: {
      what: onHost ? 'runtime' : 'launch-and-synchronisation',
      latencyMs: times.restUs / 1e3,
      share: times.restUs / 1e3 / totalMs,
    },
    profilerCost: describeCost(cost, times.fit, latencyUs.p50),
    roofline: roofline && {
      flopsPerSecond: roofline.float32.perSecond,
      bytesPerSecond: roofline.bandwidth.perSecond,
    },
    flags: raisedFlags({
      coverage: Math.abs(coverage - 1) > COVERAGE_TOLERANCE,
      'no-roofline': roofline === null,
      'no-runtime-graph': runtime === undefined,
      'no-device-time': onHost && times.kernels.some((k) => k.provider !== 'CPUExecutionProvider'),
    }),
    ...report,
  };
  return { profile, trace: createTrace(report, times) };
}

function callProfile(args: ProfileArgs, signal: AbortSignal | undefined): Promise<ProfileResult> {
  const runner = new Runner();
  const module = new URL('profile/profile-task.js', import.meta.url).href;
  return runner
    .call<ProfileResult>(
      { module, name: 'profileTask', args },
      { timeoutMs: args.seconds * 1e3 + GRACE_MS, ...(signal !== undefined && { signal }) },
    )
    .finally(() => runner.close());
}

/** The user's own file under marked names; an input of unknown rank is given the shape it resolved to. */
export function nameModel(model: Uint8Array, marked: Graph, { inputs }: Graph): Uint8Array {
  const renamed = renameModel(model, marked);
  if (marked.inputs.every(({ shape }) => shape !== undefined)) return renamed;
  return encodeModel(withGraph(marked, { inputs }));
}

/** Undefined where it was not written, or holds what Graph cannot. */
export function readRuntimeGraph(model: ProfileResult['runtimeModel']): RuntimeGraph | undefined {
  if (!('bytes' in model)) return undefined;
  let graph: Graph;
  try {
    graph = decodeModel(model.bytes, 'the graph as ONNX Runtime runs it');
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
  return { nodes: graph.nodes, stored: graph.initializers.map(({ name }) => name) };
}

function describeCost(
  cost: ProfileResult['cost'],
  fit: ProfileResult['times']['fit'],
  latencyUs: number,
): ModelProfile['profilerCost'] {
  if (cost === null || fit === null) return null;
  const { perEventUs, perTensorUs, perDimUs } = cost;
  const { scale, unscaledUs } = fit;
  return {
    perEventUs,
    perTensorUs,
    perDimUs,
    scale,
    unscaledCoverage: unscaledUs / latencyUs,
  };
}

function raisedFlags(raised: Readonly<Record<ProfileFlag, boolean>>): ProfileFlag[] {
  return (Object.keys(raised) as ProfileFlag[]).filter((flag) => raised[flag]);
}

function checkSeconds(seconds: number): number {
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new UsageError(`seconds: expected a number above 0, received ${seconds}`);
}
