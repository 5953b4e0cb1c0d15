/**
 * Which windows to trust, and correction for drift. A window is judged by what happened around it
 * (time stolen by the hypervisor, other processes, preemption, the core's clock, a jump of the wall
 * clock, the reference graph running slow), never by the candidate's own samples: discarding slow
 * samples because they are slow would turn the instrument into a flatterer.
 */
import type { TimingWindow } from '../runtime/runtime.js';
import { clockDeviations } from './clock.js';
import { median, quantile } from './statistics.js';

/** One stretch of candidate runs and what the reference graph said right before and after it. */
export interface SampledWindow {
  /** Samples of the candidate, the re-warm-up dropped. */
  readonly samplesNs: Float64Array;
  /** Medians of the reference before and after; undefined when none is interleaved. */
  readonly referenceNs: readonly [number, number] | undefined;
  readonly conditions: Omit<TimingWindow, 'samplesNs' | 'enqueueNs'>;
}

/** The machine that the windows were sampled on. */
export interface Surroundings {
  readonly logicalCores: number;
  /** Threads that the candidate uses. */
  readonly threads: number;
}

/**
 * Why a window was left out; of several reasons the gravest.
 * - `slowReference`: the reference graph ran slowly right before or after.
 * - `stolen`: the hypervisor gave the processor to another machine.
 * - `preempted`: the timing thread had to yield its core.
 * - `neighbours`: other processes used cores that the candidate needs.
 * - `throttled`: the core's clock was well below its usual rate.
 * - `clock`: wall clock and processor counter disagree; the wall clock jumped.
 */
export type DiscardReason =
  | 'slowReference'
  | 'stolen'
  | 'preempted'
  | 'neighbours'
  | 'throttled'
  | 'clock';

export interface JudgedWindows {
  /** In the order of time. */
  readonly kept: readonly SampledWindow[];
  /** Number of windows left out. */
  readonly discarded: number;
  readonly discardedBy: Readonly<Record<DiscardReason, number>>;
  /** More than half of the windows were bad; the better half was kept nevertheless. */
  readonly noisy: boolean;
  /** Windows during which the wall clock jumped. */
  readonly clockFaults: number;
  /** Windows during which the core was throttled, kept or not. */
  readonly throttled: number;
}

/**
 * The reference's usual speed is this quantile of its medians: what disturbs only ever slows it
 * down, and may do so half of the time.
 */
const USUAL_REFERENCE = 0.25;
/** Reference ÷ its usual time above which the machine was slow. */
const SLOW_REFERENCE = 1.1;
/** Share of a window's wall time that the hypervisor may take. */
const STOLEN_SHARE = 0.02;
/** Preemptions per second of the timing thread; a competitor on its core causes 150 and more. */
const PREEMPTIONS_PER_SECOND = 100;
/** Preemptions in one window that are let pass: the kernel's own threads take microseconds. */
const FREE_PREEMPTIONS = 2;
/** The core's usual clock is this quantile over the windows: throttling only lowers it … */
const USUAL_CLOCK = 0.75;
/** … and this part below it is throttled. */
const THROTTLED_SHARE = 0.1;
/** Cores' worth of other processes that is let pass even when the candidate needs every core. */
const OTHER_CORES = 0.25;
/**
 * The system counts busy time in ticks of 10 ms, as long as half a window, so other processes' time
 * is summed over this many windows to either side.
 */
const NEIGHBOURS = 3;

/**
 * Sorts out noisy windows. At least half of them (rounded up) are always kept, but none with a clock
 * that jumped while there are others.
 */
export function judgeWindows(
  windows: readonly SampledWindow[],
  surroundings: Surroundings,
): JudgedWindows {
  const judged = scoreWindows(windows, surroundings);
  const faulty = judged.filter(({ scores }) => scores.clock > 1);
  const timed =
    faulty.length < judged.length ? judged.filter((one) => !faulty.includes(one)) : judged;
  const quiet = timed.filter(({ worst }) => worst <= 1);
  const least = Math.ceil(timed.length / 2);
  const noisy = quiet.length < least;
  const kept = noisy
    ? new Set(timed.toSorted((a, b) => a.worst - b.worst || a.order - b.order).slice(0, least))
    : new Set(quiet);
  const left = judged.filter((one) => !kept.has(one));
  const discardedBy = {
    slowReference: 0,
    stolen: 0,
    preempted: 0,
    neighbours: 0,
    throttled: 0,
    clock: 0,
  };
  for (const { reason } of left) discardedBy[reason]++;
  return {
    kept: judged.filter((one) => kept.has(one)).map(({ window }) => window),
    discarded: left.length,
    discardedBy,
    noisy,
    clockFaults: faulty.length,
    throttled: judged.filter(({ scores }) => scores.throttled > 1).length,
  };
}

/**
 * Samples of each window × long-run median of the reference ÷ its median around that window: what
 * they would have been, had the machine run at its usual speed throughout. Unchanged where no
 * reference is interleaved. The factor is right for a candidate that slows down as the reference
 * does; a memory-bound one reacts less to frequency and more to neighbours.
 */
export function correctSamples(windows: readonly SampledWindow[]): Float64Array[] {
  const usualNs = longRunReferenceNs(windows);
  return windows.map(({ samplesNs, referenceNs }) => {
    if (referenceNs === undefined) return samplesNs;
    const factor = (2 * usualNs) / (referenceNs[0] + referenceNs[1]);
    return samplesNs.map((sample) => sample * factor);
  });
}

/** Median over all windows of the reference's medians; NaN without a reference. */
function longRunReferenceNs(windows: readonly SampledWindow[]): number {
  return median(windows.flatMap(({ referenceNs }) => referenceNs ?? []));
}

/** How far a window is past each limit; above 1 it is noisy. */
type Scores = Readonly<Record<DiscardReason, number>>;

interface ScoredWindow {
  readonly window: SampledWindow;
  readonly order: number;
  readonly scores: Scores;
  readonly worst: number;
  readonly reason: DiscardReason;
}

function scoreWindows(
  windows: readonly SampledWindow[],
  surroundings: Surroundings,
): ScoredWindow[] {
  const references = windows.flatMap(({ referenceNs }) => referenceNs ?? []);
  const usualNs = quantile(Float64Array.from(references).sort(), USUAL_REFERENCE);
  const clocks = windows.map(({ conditions }) => conditions.coreMhz).filter((mhz) => mhz > 0);
  const usualMhz = quantile(Float64Array.from(clocks).sort(), USUAL_CLOCK);
  const deviations = clockDeviations(windows.map(({ conditions }) => conditions));
  return windows.map((window, order) => {
    const { referenceNs, conditions } = window;
    const around = windows.slice(Math.max(0, order - NEIGHBOURS), order + NEIGHBOURS + 1);
    const allowed = FREE_PREEMPTIONS + (PREEMPTIONS_PER_SECOND * conditions.wallNs) / 1e9;
    const slow = referenceNs === undefined ? 1 : Math.max(...referenceNs) / usualNs;
    const lost = conditions.coreMhz > 0 ? 1 - conditions.coreMhz / usualMhz : 0;
    const scores: Scores = {
      slowReference: (slow - 1) / (SLOW_REFERENCE - 1),
      stolen: conditions.stealNs / (STOLEN_SHARE * conditions.wallNs),
      preempted: conditions.involuntarySwitches / allowed,
      neighbours: neighbourScore(around, surroundings),
      throttled: lost / THROTTLED_SHARE,
      clock: deviations[order] as number,
    };
    const [reason, worst] = (Object.entries(scores) as [DiscardReason, number][]).reduce((a, b) =>
      b[1] > a[1] ? b : a,
    );
    return { window, order, scores, worst, reason };
  });
}

/**
 * Other processes' cores ÷ what may be busy without harm: half of the cores that the candidate
 * leaves free, since two logical cores may be one physical.
 */
function neighbourScore(
  windows: readonly SampledWindow[],
  { logicalCores, threads }: Surroundings,
): number {
  const total = (read: (conditions: SampledWindow['conditions']) => number): number =>
    windows.reduce((sum, window) => sum + read(window.conditions), 0);
  const busyCores = total((c) => c.otherCpuNs) / total((c) => c.wallNs);
  return busyCores / (OTHER_CORES + Math.max(0, logicalCores - threads) / 2);
}
