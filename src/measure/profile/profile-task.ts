/**
 * The profiling itself, as a task of the runner. Two sessions of the same model, one with ONNX
 * Runtime's profiler, take turns (A B A B …), so that both see the same machine: the latency is the
 * plain one's, the shares are the profiled one's.
 */
import { ArchwrightError, errorMessage } from '../../errors.js';
import { type Feeds, Session, type SessionOptions, type Timer } from '../../runtime/runtime.js';
import { Rng } from '../../util/random.js';
import { createInputSets, type InputDims } from '../inputs.js';
import { measureRoofline } from '../peaks.js';
import type { Roofline } from '../roofline.js';
import { median, medianInterval } from '../statistics.js';
import { defaultWarmup, warmUp } from '../warmup.js';
import { calibrateProfiler } from './calibrate.js';
import { parseProfile } from './events.js';
import { ProfileFiles } from './files.js';
import { inferTimes, type ProfilerCost, type ProfileTimes } from './times.js';

export interface ProfileArgs {
  /** Bytes of an ONNX file. */
  readonly model: Uint8Array;
  /** Nodes of the model, which bound the events of a run. */
  readonly nodes: number;
  readonly session: SessionOptions;
  readonly dims: InputDims;
  readonly seed: number;
  /** Time for warming up and sampling together. */
  readonly seconds: number;
  /** An existing folder for what ONNX Runtime writes. */
  readonly folder: string;
}

export interface ProfileResult {
  readonly inputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly type: string }>
  >;
  /** Of the session that was not profiled, in the calmer half of the rounds. */
  readonly latencyUs: {
    readonly p50: number;
    readonly ci95: readonly [number, number];
    readonly samples: number;
  };
  /** Of the profiled session: median wall time of a run. */
  readonly profiledUs: number;
  readonly times: ProfileTimes;
  /** Null where all kernels' times are the device's own. */
  readonly cost: ProfilerCost | null;
  /** Null where the device refuses to be measured. */
  readonly roofline: Roofline | null;
  /** The graph as ONNX Runtime runs it, an ONNX file; or why it was not written. */
  readonly runtimeModel: { readonly bytes: Uint8Array } | { readonly reason: string };
}

/** Input sets in rotation. */
const INPUT_SETS = 4;
/** Events that are recorded at the most, some 1 kB each. */
const MAX_EVENTS = 40_000;
/** Wall time of a window of either session. */
const WINDOW_NS = 10e6;
const WARMUP_SHARE = 0.25;
const LEAST_ROUNDS = 2;
const MOST_ROUNDS = 24;
/** Share of a window that only warms the caches again. */
const DROPPED_SHARE = 0.2;

/** Profiles a model. Throws what ONNX Runtime refuses, as `ArchwrightError`. */
export async function profileTask(args: ProfileArgs): Promise<ProfileResult> {
  const files = new ProfileFiles(args.folder);
  const plain = await Session.create(args.model, args.session);
  const inputSets = createInputSets(plain.inputs, args.dims, INPUT_SETS, new Rng(args.seed));
  const plainTimer = await plain.createTimer(inputSets);
  const { session, runtimeModel } = await openProfiled(args, files);
  const timer = await session.createTimer(inputSets);
  const rounds = await takeTurns(plainTimer, timer, args);
  const profile = parseProfile(files.takeText(session.endProfiling()));
  for (const held of [plainTimer, timer, plain, session]) held.release();
  const calm = calmest(rounds);
  const windows = rounds.filter((_, i) => calm.has(i)).map(({ plainNs }) => plainNs);
  const latencyUs = median(windows.flatMap((window) => [...window])) / 1e3;
  const ci95 = medianInterval(windows).map((ns) => ns / 1e3) as [number, number];
  const cost = await calibrateProfiler(args.session, files);
  const counted = rounds.flatMap(({ profiledNs }, i) => Array.from(profiledNs, () => calm.has(i)));
  const times = inferTimes(profile, counted, cost, latencyUs);
  return {
    inputs: describe(inputSets[0] ?? {}),
    latencyUs: {
      p50: latencyUs,
      ci95,
      samples: windows.reduce((sum, window) => sum + window.length, 0),
    },
    profiledUs: median(rounds.flatMap(({ profiledNs }) => [...profiledNs])) / 1e3,
    times,
    cost: profile.programs.length === 0 ? cost : null,
    roofline: await tryRoofline(args.session),
    runtimeModel,
  };
}

async function tryRoofline(options: SessionOptions): Promise<Roofline | null> {
  try {
    return await measureRoofline(options);
  } catch (error) {
    if (error instanceof ArchwrightError) return null;
    throw error;
  }
}

/**
 * A session that is profiled, and the graph as it runs it: some providers compile parts of the graph
 * to what no ONNX file can hold.
 */
export async function openProfiled(
  { model, session }: Pick<ProfileArgs, 'model' | 'session'>,
  files: ProfileFiles,
): Promise<{ session: Session; runtimeModel: ProfileResult['runtimeModel'] }> {
  const optimizedModelPath = `${files.prefix()}.onnx`;
  const options = { ...session, profilePrefix: files.prefix() };
  try {
    const profiled = await Session.create(model, { ...options, optimizedModelPath });
    return { session: profiled, runtimeModel: { bytes: files.take(optimizedModelPath) } };
  } catch (error) {
    const profiled = await Session.create(model, options);
    return { session: profiled, runtimeModel: { reason: errorMessage(error) } };
  }
}

/** A window of either session, one after the other. */
interface Round {
  /** Without the re-warm-up. */
  readonly plainNs: Float64Array;
  readonly profiledNs: Float64Array;
}

/** The half of the rounds that took the least time: other processes only ever add some. */
function calmest(rounds: readonly Round[]): ReadonlySet<number> {
  const ns = rounds.map(({ plainNs, profiledNs }) => median(plainNs) + median(profiledNs));
  const order = [...ns.keys()].sort((a, b) => (ns[a] as number) - (ns[b] as number));
  return new Set(order.slice(0, Math.max(LEAST_ROUNDS, Math.ceil(rounds.length / 2))));
}

async function takeTurns(
  plain: Timer,
  profiled: Timer,
  { nodes, seconds }: ProfileArgs,
): Promise<Round[]> {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) / 1e3;
  let runNs = (await plain.run({ samples: 1, group: 1 })).wallNs;
  const size = () => Math.max(1, Math.round(WINDOW_NS / runNs));
  // A run that takes all of the budget has warmed up: binding the inputs ran the model twice.
  const maxSeconds = runNs / 1e9 > seconds ? 0 : WARMUP_SHARE * seconds;
  await warmUp(
    async () => {
      const { samplesNs, wallNs } = await plain.run({ samples: size(), group: 1 });
      runNs = median(samplesNs);
      return { median: runNs, seconds: wallNs / 1e9 };
    },
    { ...defaultWarmup, maxSeconds },
  );
  const rounds: Round[] = [];
  const samples = size();
  const mostRuns = Math.floor(MAX_EVENTS / (nodes + 2) / MOST_ROUNDS);
  const profiledSamples = Math.max(1, Math.min(samples, mostRuns));
  do {
    const { samplesNs } = await plain.run({ samples, group: 1 });
    const { samplesNs: profiledNs } = await profiled.run({ samples: profiledSamples, group: 1 });
    rounds.push({ plainNs: samplesNs.subarray(Math.floor(DROPPED_SHARE * samples)), profiledNs });
  } while (rounds.length < MOST_ROUNDS && (rounds.length < LEAST_ROUNDS || elapsed() < seconds));
  return rounds;
}

function describe(feeds: Feeds): ProfileResult['inputs'] {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { dims: shape, dtype: type }]) => [name, { shape, type }]),
  );
}
