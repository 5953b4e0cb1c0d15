/**
 * The measuring itself, as a task of the runner: what runs in the worker, beside the addon. Plain
 * data in, plain data out. Order matters: memory and cold start come first, in a process that has
 * loaded no other model; the peaks of the roofline last, since they heat and evict.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { providers } from '../device/provider.js';
import {
  type ElementType,
  type Feeds,
  loadBinding,
  Session,
  type SessionOptions,
} from '../runtime/runtime.js';
import { Rng } from '../util/random.js';
import { isCachingByInput, planCaching, runCachingPasses } from './caching.js';
import {
  addSessions,
  type CandidateArgs,
  type CreateSession,
  countSessions,
  type Loaded,
  loadMeasured,
  releaseAll,
  rotateTimers,
  runOf,
  warmCandidate,
} from './candidate.js';
import { compareOutputs } from './compare-outputs.js';
import {
  type Energy,
  type EnergyMeter,
  MeteredRuns,
  measureIdleWatts,
  openNvml,
  openRapl,
} from './energy.js';

import { isSameOutput } from './fingerprint.js';
import { type BenchFlag, raisedFlags } from './flags.js';
import { createInputSets, feedBytes } from './inputs.js';
import { type RunMemory, SETTLE_MS } from './memory.js';
import { correctSamples, type JudgedWindows, judgeWindows, type SampledWindow } from './noise.js';
import { cudaNumber, isPossible } from './peaks.js';
import type { LeastWork } from './roofline.js';
import { type Planned, planReference, type SamplingMode, sampleWindows } from './sampler.js';
import {
  median,
  medianInterval,
  quantile,
  type Summary,
  sortSamples,
  summarize,
} from './statistics.js';
import {
  judge,
  LOOK_FACTOR,
  type Progress,
  type StoppingOptions,
  type Verdict,
} from './stopping.js';
import { measureStreams, type StreamThroughput } from './streams.js';
import { judgeTransfers, measureTransfers, TRANSFER_RUNS, type Transfers } from './transfers.js';

export interface BenchArgs extends CandidateArgs {
  /** Bytes of the graph to interleave. */
  readonly reference: Uint8Array;
  /** `maxSeconds` is for warming up and sampling together. */
  readonly stopping: StoppingOptions;
  /** One after the other with warm caches by default. */
  readonly mode?: SamplingMode;
  /** Everything that a brief look leaves out: several sessions, checks of the instrument, energy. */
  readonly thorough?: {
    /** What a run must do, for the physics floor. */
    readonly work: LeastWork;
    /** Numbers of concurrent streams to measure the throughput of; takes as long again. */
    readonly streams: readonly number[];
  };
}

export interface BenchResult {
  readonly inputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly type: ElementType }>
  >;
  readonly latencyMs: Summary;
  readonly correctedMs: { readonly p50: number };
  /** Windows left out as disturbed. */
  readonly discarded: number;
  readonly discardedBy: JudgedWindows['discardedBy'];
  /** Median latency in each of the sessions that the windows rotated over. */
  readonly sessionsP50Ms: readonly number[];
  readonly coldStart: { readonly loadMs: number; readonly firstRunMs: number };
  readonly memory: RunMemory;
  /** Warmed up to a steady state, and the interval of the median is narrow enough. */
  readonly steady: boolean;
  readonly flags: readonly BenchFlag[];
  /** Empty where none were asked for. */
  readonly throughput: readonly StreamThroughput[];
  /** Null where inputs and outputs lie where the model runs. */
  readonly transfers: Transfers | null;
  /** Null where none could be read; `notes` says why. */
  readonly energy: Energy | null;
  readonly notes: readonly string[];
}

/** Share of the budget that may go into warming up. */
const WARMUP_SHARE = 0.3;
/** Share of the budget for the parts of a request to a device. */
const TRANSFER_SHARE = 0.5;
/** Times the budget that the fewest runs of transfers may take. */
const TRANSFER_PATIENCE = 4;
/** Runs of the reference before its latency is believed. */
const REFERENCE_WARMUP_RUNS = 100;
/** Time over which the idle power is taken. */
const IDLE_MS = 300;
/** Windows throttled for more than this share raise a flag. */
const THROTTLED_SHARE = 0.1;

/** Difference from the CPU's outputs ÷ the largest of them that half precision cannot explain. */
const WRONG_SHARE = 0.05;

/** Loads, warms up and samples a model. Throws what ONNX Runtime refuses, as `ArchwrightError`. */
export async function benchModel(args: BenchArgs): Promise<BenchResult> {
  const result = await benchSession(args, Session.create);
  const { session: options, model, thorough, stopping } = args;
  const isLocal = options.provider === 'cpu';
  if (thorough === undefined || (isLocal && thorough.streams.length === 0)) return result;
  const session = await Session.create(model, options);
  const inputSets = bindInputs(args, session.inputs, 'streams', 4);
  const runMs = result.latencyMs.p50;
  const tooSlow = TRANSFER_RUNS * runMs > TRANSFER_PATIENCE * stopping.maxSeconds * 1e3;
  const transfers =
    isLocal || tooSlow
      ? null
      : await measureTransfers(
          (placement) => session.createTimer(inputSets, placement),
          runMs * 1e6,
          TRANSFER_SHARE * stopping.maxSeconds,
        );
  const throughput =
    thorough.streams.length === 0
      ? []
      : await measureStreams(
          thorough.streams,
          () => session.createTimer(inputSets),
          stopping.maxSeconds,
        );
  const wrong = !isLocal && (await isWrong(args, session, inputSets[0] as Feeds));
  session.release();
  const found = transfers === null ? {} : judgeTransfers(transfers);
  const flags = raisedFlags({
    ...Object.fromEntries(result.flags.map((flag) => [flag, true])),
    ...found,
    'wrong-output': wrong,
  });
  const notes = [
    ...result.notes,
    ...(tooSlow && !isLocal ? ['transfers: runs are too long for the time; allow more'] : []),
  ];
  return { ...result, throughput, transfers, flags, notes };
}

/** Whether a device's outputs are others than those of the CPU, beyond what precision explains. */
async function isWrong(
  { model, session: { threads } }: BenchArgs,
  session: Session,
  feeds: Feeds,
): Promise<boolean> {
  const reference = await Session.create(model, { threads, optimization: 'all', provider: 'cpu' });
  const difference = compareOutputs(await session.run(feeds), await reference.run(feeds));
  reference.release();
  const { maxRelDifference = null } = difference.comparable ? difference : {};
  return maxRelDifference === null || maxRelDifference > WRONG_SHARE;
}

/** As `benchModel`, for what `create` loads; without streams and parts of requests. */
export async function benchSession(args: BenchArgs, create: CreateSession): Promise<BenchResult> {
  const { stopping, thorough, mode = {} } = args;
  const first = await loadMeasured(args, create, thorough === undefined ? 0 : SETTLE_MS);
  const { session, timer, memory } = first;
  const warm = await warmCandidate(timer, WARMUP_SHARE * stopping.maxSeconds);
  const start = performance.now();
  const further =
    thorough === undefined || args.session.provider !== 'cpu'
      ? 0
      : countSessions(
          session.loadMs,
          warm.runNs / 1e6,
          memory.processPeakBytes,
          stopping.maxSeconds,
        ) - 1;
  const all = [first, ...(await addSessions(args, create, further, warm.runNs))];
  const candidate = rotateTimers(
    all.map((one) => one.timer),
    warm.runNs,
    mode,
  );
  const energy = thorough === undefined ? { notes: [] } : await openEnergy(candidate, args);
  const spent = warm.seconds + (performance.now() - start) / 1e3;
  const sampled = await sampleModel(args, energy.candidate ?? candidate, all.length, spent);
  const faithful = await isFaithful(first);
  const caching = thorough !== undefined && (await isCaching(args, first, warm.runNs));
  releaseAll(all);
  const possible =
    thorough === undefined ||
    (await isPossible(sampled.latencyMs.min, thorough.work, args.session));
  const { clockFaults, throttled, windowCount, verdict } = sampled;
  return {
    inputs: describeInputs(first),
    latencyMs: sampled.latencyMs,
    correctedMs: sampled.correctedMs,
    discarded: sampled.discarded,
    discardedBy: sampled.discardedBy,
    sessionsP50Ms: sampled.sessionsP50Ms,
    coldStart: { loadMs: session.loadMs, firstRunMs: timer.firstRunMs },
    memory,
    steady: warm.steady && verdict === 'narrow',
    flags: raisedFlags({
      grouped: candidate.plan.group > 1,
      unsettled: !warm.steady,
      'wide-interval': verdict === 'budget',
      settled: verdict === 'settled',
      noisy: sampled.noisy,
      throttled: throttled > THROTTLED_SHARE * windowCount,
      'clock-fault': clockFaults > 0,
      'output-mismatch': !faithful,
      'caches-by-input': caching,
      'below-floor': !possible,
    }),
    throughput: [],
    transfers: null,
    energy: energy.metered?.summarize() ?? null,
    notes: energy.notes,
  };
}

function describeInputs({ inputSets }: Loaded): BenchResult['inputs'] {
  return Object.fromEntries(
    Object.entries(inputSets[0] ?? {}).map(([name, { dims: shape, dtype: type }]) => [
      name,
      { shape, type },
    ]),
  );
}

function bindInputs(
  { dims, seed }: CandidateArgs,
  inputs: Session['inputs'],
  label: string,
  count: number,
): Record<string, Feeds[string]>[] {
  return createInputSets(inputs, dims, count, new Rng(seed).fork(label));
}

/**
 * Whether timed runs left what plain runs of the same inputs give: the last one that was sampled,
 * and one more of another input, lest one answer serves for all.
 */
async function isFaithful({ session, timer, inputSets }: Loaded): Promise<boolean> {
  const isSame = async (): Promise<boolean> => {
    const { inputSet, outputs } = timer.outputs();
    return isSameOutput(outputs, await session.run(inputSets[inputSet] as Feeds));
  };
  if (!(await isSame())) return false;
  await timer.run({ samples: 1, group: 1 });
  return isSame();
}

/** Whether inputs seen before are answered faster; a suspicion must be confirmed by a second look. */
async function isCaching(
  args: BenchArgs,
  { session, timer, inputSets }: Loaded,
  runNs: number,
): Promise<boolean> {
  const plan = planCaching(runNs, feedBytes(inputSets[0] as Feeds), args.stopping.maxSeconds);
  if (plan === undefined) return false;
  const between = Math.max(1, Math.ceil(1e6 / runNs));
  for (const look of [1, 2]) {
    const passes = await runCachingPasses(
      plan,
      (pass, count) =>
        session.createTimer(bindInputs(args, session.inputs, `fresh-${look}-${pass}`, count)),
      async () => {
        await timer.run({ samples: between, group: 1 });
      },
    );
    if (!isCachingByInput(passes)) return false;
  }
  return true;
}

function openMeter(session: SessionOptions): Promise<EnergyMeter | string> | EnergyMeter | string {
  if (session.provider === providers.cpu.session) return openRapl();
  const isCuda = [providers.cuda, providers.tensorrt].some((p) => p.session === session.provider);
  return isCuda ? openNvml(cudaNumber(session)) : `no meter for the device of ${session.provider}`;
}

/** The candidate with its energy counted, where that can be. */
async function openEnergy(
  candidate: Planned,
  { session }: BenchArgs,
): Promise<{ candidate?: Planned; metered?: MeteredRuns; notes: string[] }> {
  const meter = await openMeter(session);
  if (typeof meter === 'string') return { notes: [`energy: ${meter}`] };
  const idleWatts = await measureIdleWatts(meter, () => sleep(IDLE_MS));
  const metered = new MeteredRuns(meter, idleWatts);
  return { candidate: { ...candidate, run: metered.wrap(candidate.run) }, metered, notes: [] };
}

async function sampleModel(
  { reference: model, session: options, stopping, seed }: BenchArgs,
  candidate: Planned,
  sessions: number,
  secondsSpent: number,
) {
  const surroundings = {
    logicalCores: loadBinding().hostFacts().logicalCores,
    threads: options.threads,
  };
  // On the processor, whatever the candidate runs on; a pool of its own would spin while the
  // candidate runs, and the other way round.
  const session = await Session.create(model, { threads: 1, optimization: 'all', provider: 'cpu' });
  const timer = await session.createTimer(
    createInputSets(session.inputs, {}, 1, new Rng(seed).fork('reference')),
  );
  const run = runOf(timer);
  const first = await run(REFERENCE_WARMUP_RUNS, 1);
  const reference = { run, plan: planReference(median(first.samplesNs)) };

  const rule = { ...stopping, maxSeconds: Math.max(0, stopping.maxSeconds - secondsSpent) };
  let verdict: Verdict = 'continue';
  let nextLook = 0;
  const looks: Progress[] = [];
  const windows = await sampleWindows(candidate, reference, (seen, seconds) => {
    if (seconds < nextLook && seconds < rule.maxSeconds) return false;
    nextLook = seconds * LOOK_FACTOR;
    looks.push(lookAt(judgeWindows(seen, surroundings).kept, seconds));
    verdict = judge(looks, rule);
    return verdict !== 'continue';
  });
  timer.release();
  session.release();

  const judged = judgeWindows(windows, surroundings);
  const { kept } = judged;
  const corrected = quantile(sortSamples(correctSamples(kept)), 0.5) / 1e6;
  const order = new Map(windows.map((window, i) => [window, i % sessions]));
  return {
    ...judged,
    latencyMs: summarize(kept.map(({ samplesNs }) => samplesNs.map((sample) => sample / 1e6))),
    correctedMs: { p50: corrected },
    sessionsP50Ms: Array.from({ length: sessions }, (_, i) =>
      sessionP50Ms(kept.filter((window) => order.get(window) === i)),
    ).filter((p50) => !Number.isNaN(p50)),
    windowCount: windows.length,
    verdict: verdict as Verdict,
  };
}

function sessionP50Ms(windows: readonly SampledWindow[]): number {
  return quantile(sortSamples(windows.map(({ samplesNs }) => samplesNs)), 0.5) / 1e6;
}

function lookAt(kept: readonly SampledWindow[], seconds: number): Progress {
  const windows = kept.map(({ samplesNs }) => samplesNs);
  const sorted = sortSamples(windows);
  return {
    samples: sorted.length,
    seconds,
    p50: quantile(sorted, 0.5),
    ci95: medianInterval(windows),
  };
}
