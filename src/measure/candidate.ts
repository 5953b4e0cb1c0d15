/**
 * The model under measurement: loaded, bound, warmed up, and once warm, in several sessions.
 *
 * Why several: where weights and buffers come to lie in memory (which pages, how they map to caches)
 * changes from process to process and makes the same model a few percent faster or slower in each.
 * Windows that rotate over sessions side by side average that within one measurement. The first
 * session alone serves cold start and memory.
 */
import type { Feeds, Session, SessionOptions, Timer } from '../runtime/runtime.js';
import { Rng } from '../util/random.js';
import { createInputSets, feedBytes, type InputDims } from './inputs.js';
import { measureGrowth, type RunMemory } from './memory.js';
import {
  type Planned,
  planWindows,
  type RunWindow,
  runPlanned,
  type SamplingMode,
} from './sampler.js';
import { median } from './statistics.js';
import { defaultWarmup, warmUp } from './warmup.js';

/** What of a `Timer` is used here. */
export type CandidateTimer = Pick<Timer, 'run' | 'outputs' | 'release' | 'firstRunMs'>;

/** What of a `Session` is used here. */
export interface CandidateSession
  extends Pick<Session, 'inputs' | 'loadMs' | 'run' | 'allocatorStats' | 'release'> {
  createTimer(inputSets: readonly Feeds[]): Promise<CandidateTimer>;
}

/** Loads a model; `Session.create` is one. */
export type CreateSession = (
  model: Uint8Array,
  options: SessionOptions,
) => Promise<CandidateSession>;

export interface CandidateArgs {
  /** Bytes of an ONNX file. */
  readonly model: Uint8Array;
  readonly session: SessionOptions;
  /** Dimensions of inputs that the model leaves open. */
  readonly dims: InputDims;
  /** Seed of the inputs. */
  readonly seed: number;
}

/** A model that has run once. */
export interface Loaded {
  readonly session: CandidateSession;
  readonly timer: CandidateTimer;
  readonly inputSets: readonly Feeds[];
}

/** Input sets in rotation. */
const INPUT_SETS = 4;
/** Sessions of one measurement, at most … */
const MAX_SESSIONS = 4;
/** … as long as they take no more than this share of its time … */
const SESSIONS_SHARE = 0.15;
/** … and of memory. */
const SESSIONS_BYTES = 2 ** 29;
/** Windows that a further session runs before it counts. */
const SESSION_WARMUP = 2;

/** Loads the model, binds its inputs and runs it. */
export async function loadCandidate(args: CandidateArgs, create: CreateSession): Promise<Loaded> {
  const session = await create(args.model, args.session);
  const inputSets = createInputSets(session.inputs, args.dims, INPUT_SETS, new Rng(args.seed));
  return { session, inputSets, timer: await session.createTimer(inputSets) };
}

/**
 * `loadCandidate`, with the memory that it took; waits `settleMs` (see `measureGrowth`) before either
 * of its steps. Of the input sets one is counted.
 */
export async function loadMeasured(
  args: CandidateArgs,
  create: CreateSession,
  settleMs: number,
): Promise<Loaded & { readonly memory: RunMemory }> {
  const loaded = await measureGrowth(() => create(args.model, args.session), settleMs);
  const session = loaded.value;
  const arenaLoadedBytes = session.allocatorStats('host').inUseBytes;
  const inputSets = createInputSets(session.inputs, args.dims, INPUT_SETS, new Rng(args.seed));
  const bound = await measureGrowth(() => session.createTimer(inputSets), settleMs);
  const uncounted = (INPUT_SETS - 1) * feedBytes(inputSets[0] as Feeds);
  const isLocal = args.session.provider === 'cpu';
  const device = isLocal ? 0 : session.allocatorStats('device').maxInUseBytes;
  return {
    session,
    inputSets,
    timer: bound.value,
    memory: {
      arenaPeakBytes: session.allocatorStats('host').maxInUseBytes,
      arenaLoadedBytes,
      processPeakBytes: Math.max(loaded.peakBytes, loaded.keptBytes + bound.peakBytes - uncounted),
      // Zero is what a provider says that has no arena of ours to ask.
      devicePeakBytes: device > 0 ? device : null,
    },
  };
}

/** Runs windows until they are steady; the plan is made anew as the runs become faster. */
export async function warmCandidate(
  timer: CandidateTimer,
  maxSeconds: number,
): Promise<{ readonly runNs: number; readonly steady: boolean; readonly seconds: number }> {
  const run = runOf(timer);
  let runNs = (await run(1, 1)).wallNs;
  let seconds = 0;
  const { steady } = await warmUp(
    async () => {
      const { samplesNs, wallNs } = await runPlanned(run, planWindows(runNs));
      runNs = median(samplesNs);
      seconds += wallNs / 1e9;
      return { median: runNs, seconds: wallNs / 1e9 };
    },
    { ...defaultWarmup, maxSeconds },
  );
  return { runNs, steady, seconds };
}

/** How many sessions a measurement of `seconds` can afford of a model that loads and runs so. */
export function countSessions(
  loadMs: number,
  runMs: number,
  bytes: number,
  seconds: number,
): number {
  const { dropped, kept, group } = planWindows(runMs * 1e6);
  const cost = (loadMs + (2 + SESSION_WARMUP * (dropped + kept) * group) * runMs) / 1e3;
  const affordable = Math.floor((SESSIONS_SHARE * seconds) / cost);
  const fitting = Math.floor(SESSIONS_BYTES / Math.max(1, bytes));
  return 1 + Math.max(0, Math.min(MAX_SESSIONS - 1, affordable, fitting));
}

/** `count` further sessions of the model, warmed up. */
export async function addSessions(
  args: CandidateArgs,
  create: CreateSession,
  count: number,
  runNs: number,
): Promise<Loaded[]> {
  const added: Loaded[] = [];
  for (let i = 0; i < count; i++) {
    const loaded = await loadCandidate(args, create);
    added.push(loaded);
    const run = runOf(loaded.timer);
    for (let window = 0; window < SESSION_WARMUP; window++) {
      await runPlanned(run, planWindows(runNs));
    }
  }
  return added;
}

/** Windows of `timers` in rotation, the first one first. */
export function rotateTimers(
  timers: readonly CandidateTimer[],
  runNs: number,
  mode: SamplingMode = {},
): Planned {
  const runs = timers.map((timer) => runOf(timer, mode));
  let next = 0;
  return {
    run: (samples, group) => (runs[next++ % runs.length] as RunWindow)(samples, group),
    plan: planWindows(runNs, undefined, mode),
  };
}

/** A timer's windows in one mode. */
export function runOf(timer: Pick<Timer, 'run'>, mode: SamplingMode = {}): RunWindow {
  return (samples, group) => timer.run({ samples, group, ...mode });
}

export function releaseAll(loaded: readonly Loaded[]): void {
  for (const { session, timer } of loaded) {
    timer.release();
    session.release();
  }
}
