/**
 * The measuring itself, as a task of the runner: what runs in the worker, beside the addon. Plain
 * data in, plain data out. Order matters: memory and cold start come first, in a process that has
 * loaded no other model; the peaks of the roofline last, since they heat and evict.
 */
import {
  type ElementType,
  type Feeds,
  loadBinding,
  Session,
  type SessionOptions,
  type Timer,
} from '../runtime/runtime.js';
import { Rng } from '../util/random.js';
import { isSameOutput } from './fingerprint.js';
import { createInputSets, type InputDims } from './inputs.js';
import { measureGrowth, type RunMemory } from './memory.js';
import { correctSamples, judgeWindows, type SampledWindow, type Surroundings } from './noise.js';
import { isPossible } from './peaks.js';
import type { LeastWork } from './roofline.js';
import { type Planned, planReference, planWindows, runPlanned, sampleWindows } from './sampler.js';
import { median, quantile, type Summary, sortSamples, summarize } from './statistics.js';
import { judge, type StoppingOptions, type Verdict } from './stopping.js';
import { defaultWarmup, warmUp } from './warmup.js';

export interface BenchArgs {
  /** Bytes of an ONNX file. */
  readonly model: Uint8Array;
  /** Bytes of the graph to interleave. */
  readonly reference: Uint8Array;
  readonly session: SessionOptions;
  /** Dimensions of inputs that the model leaves open. */
  readonly dims: InputDims;
  /** Seed of the inputs. */
  readonly seed: number;
  /** `maxSeconds` is for warming up and sampling together. */
  readonly stopping: StoppingOptions;
  /** What a run must do; the physics floor is checked where it is given. */
  readonly work?: LeastWork;
}

/**
 * - `grouped`: a sample is the mean of several runs, so percentiles hide the tail of single runs.
 * - `unsettled`: warming up ended with its budget, not with a steady state.
 * - `wide-interval`: the budget ended before the interval of the median was narrow enough.
 * - `noisy`: more than half of the windows were disturbed, and some of those had to be kept.
 * - `output-mismatch`: a timed run left another output than a plain run of the same input.
 * - `below-floor`: faster than the machine can compute; an instrument fault.
 */
export type BenchFlag =
  | 'grouped'
  | 'unsettled'
  | 'wide-interval'
  | 'noisy'
  | 'output-mismatch'
  | 'below-floor';

export interface BenchResult {
  readonly inputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly type: ElementType }>
  >;
  readonly latencyMs: Summary;
  readonly correctedMs: { readonly p50: number };
  /** Windows left out as disturbed. */
  readonly discarded: number;
  readonly coldStart: { readonly loadMs: number; readonly firstRunMs: number };
  readonly memory: RunMemory;
  /** Warmed up to a steady state, and the interval of the median is narrow enough. */
  readonly steady: boolean;
  readonly flags: readonly BenchFlag[];
}

/** Input sets in rotation. */
const INPUT_SETS = 4;
/** Share of the budget that may go into warming up. */
const WARMUP_SHARE = 0.3;
/** Runs of the reference before its latency is believed. */
const REFERENCE_WARMUP_RUNS = 100;
/** Statistics are looked at again after the time sampled has grown by this factor. */
const LOOK_FACTOR = 1.1;

/** Loads, warms up and samples a model. Throws what ONNX Runtime refuses, as `ArchwrightError`. */
export async function benchModel(args: BenchArgs): Promise<BenchResult> {
  const loaded = await loadModel(args);
  const { session, timer, inputSets } = loaded;
  const warm = await warmCandidate(timer, WARMUP_SHARE * args.stopping.maxSeconds);
  const sampled = await sampleModel(args, warm);
  const { inputSet, outputs } = timer.outputs();
  const faithful = isSameOutput(outputs, await session.run(inputSets[inputSet] as Feeds));
  timer.release();
  session.release();
  const believable =
    args.work === undefined || (await isPossible(sampled.latencyMs.min, args.work, args.session));
  return {
    inputs: loaded.inputs,
    latencyMs: sampled.latencyMs,
    correctedMs: sampled.correctedMs,
    discarded: sampled.discarded,
    coldStart: { loadMs: session.loadMs, firstRunMs: timer.firstRunMs },
    memory: loaded.memory,
    steady: warm.steady && sampled.verdict === 'narrow',
    flags: raisedFlags({
      grouped: warm.plan.group > 1,
      unsettled: !warm.steady,
      'wide-interval': sampled.verdict !== 'narrow',
      noisy: sampled.noisy,
      'output-mismatch': !faithful,
      'below-floor': !believable,
    }),
  };
}

function raisedFlags(raised: Readonly<Record<BenchFlag, boolean>>): BenchFlag[] {
  return (Object.keys(raised) as BenchFlag[]).filter((flag) => raised[flag]);
}

/** The model loaded and run for the first time, every input set bound. */
async function loadModel({ model, session: options, dims, seed }: BenchArgs) {
  const { value, bytes } = await measureGrowth(async () => {
    const session = await Session.create(model, options);
    const inputSets = createInputSets(session.inputs, dims, INPUT_SETS, new Rng(seed));
    const timer = await session.createTimer(inputSets);
    return { session, inputSets, timer };
  });
  const inputs = Object.fromEntries(
    Object.entries(value.inputSets[0] ?? {}).map(([name, { dims: shape, dtype: type }]) => [
      name,
      { shape, type },
    ]),
  );
  const { maxInUseBytes } = value.session.allocatorStats();
  return { ...value, inputs, memory: { arenaPeakBytes: maxInUseBytes, processPeakBytes: bytes } };
}

/** Runs windows until they are steady; the plan is made anew as the runs become faster. */
async function warmCandidate(
  timer: Timer,
  maxSeconds: number,
): Promise<Planned & { readonly steady: boolean; readonly seconds: number }> {
  const run: Planned['run'] = (samples, group) => timer.run({ samples, group });
  let plan = planWindows((await run(1, 1)).wallNs);
  let seconds = 0;
  const { steady } = await warmUp(
    async () => {
      const { samplesNs, wallNs } = await runPlanned(run, plan);
      const runNs = median(samplesNs);
      plan = planWindows(runNs);
      seconds += wallNs / 1e9;
      return { median: runNs, seconds: wallNs / 1e9 };
    },
    { ...defaultWarmup, maxSeconds },
  );
  return { run, plan, steady, seconds };
}

async function sampleModel(
  { reference: model, session: options, stopping, seed }: BenchArgs,
  warm: Planned & { readonly seconds: number },
) {
  const surroundings = {
    logicalCores: loadBinding().hostFacts().logicalCores,
    threads: options.threads,
  };
  // A pool of its own would spin while the candidate runs, and the other way round.
  const session = await Session.create(model, { ...options, threads: 1 });
  const timer = await session.createTimer(
    createInputSets(session.inputs, {}, 1, new Rng(seed).fork('reference')),
  );
  const run: Planned['run'] = (samples, group) => timer.run({ samples, group });
  const first = await run(REFERENCE_WARMUP_RUNS, 1);
  const reference = { run, plan: planReference(median(first.samplesNs)) };

  const rule = { ...stopping, maxSeconds: Math.max(0, stopping.maxSeconds - warm.seconds) };
  let verdict: Verdict = 'continue';
  let nextLook = 0;
  const windows = await sampleWindows(warm, reference, (seen, seconds) => {
    if (seconds < nextLook && seconds < rule.maxSeconds) return false;
    nextLook = seconds * LOOK_FACTOR;
    verdict = judgeProgress(seen, seconds, surroundings, rule);
    return verdict !== 'continue';
  });
  timer.release();
  session.release();

  const { kept, discarded, noisy } = judgeWindows(windows, surroundings);
  const corrected = quantile(sortSamples(correctSamples(kept)), 0.5) / 1e6;
  return {
    latencyMs: summarize(kept.map(({ samplesNs }) => samplesNs.map((sample) => sample / 1e6))),
    correctedMs: { p50: corrected },
    discarded,
    noisy,
    verdict: verdict as Verdict,
  };
}

function judgeProgress(
  windows: readonly SampledWindow[],
  seconds: number,
  surroundings: Surroundings,
  rule: StoppingOptions,
): Verdict {
  const { kept } = judgeWindows(windows, surroundings);
  const { count: samples, p50, ci95 } = summarize(kept.map(({ samplesNs }) => samplesNs));
  return judge({ samples, seconds, p50, ci95 }, rule);
}
