/**
 * Which windows to trust, and correction for drift. A window is judged by what happened around it
 * (time stolen by the hypervisor, other processes, preemption, the reference graph running slow),
 * never by the candidate's own samples: discarding slow samples because they are slow would turn
 * the instrument into a flatterer.
 */
import type { TimingWindow } from '../runtime/runtime.js';
import { median } from './statistics.js';

/** One stretch of candidate runs and what the reference graph said right before and after it. */
export interface SampledWindow {
  /** Samples of the candidate, the re-warm-up dropped. */
  readonly samplesNs: Float64Array;
  /** Medians of the reference before and after; undefined when none is interleaved. */
  readonly referenceNs: readonly [number, number] | undefined;
  readonly conditions: Omit<TimingWindow, 'samplesNs'>;
}

/** The machine that the windows were sampled on. */
export interface Surroundings {
  readonly logicalCores: number;
  /** Threads that the candidate uses. */
  readonly threads: number;
}

export interface JudgedWindows {
  /** In the order of time. */
  readonly kept: readonly SampledWindow[];
  /** Number of windows left out. */
  readonly discarded: number;
  /** More than half of the windows were bad; the better half was kept nevertheless. */
  readonly noisy: boolean;
}

/** Reference ÷ its long-run median above which the machine was slow. */
const SLOW_REFERENCE = 1.1;
/** Share of a window's wall time that the hypervisor may take. */
const STOLEN_SHARE = 0.02;
/** Preemptions per second of the timing thread; a competitor on its core causes 150 and more. */
const PREEMPTIONS_PER_SECOND = 100;
/** Preemptions in one window that are let pass: the kernel's own threads take microseconds. */
const FREE_PREEMPTIONS = 2;
/** Cores' worth of other processes that is let pass even when the candidate needs every core. */
const OTHER_CORES = 0.25;
/**
 * The system counts busy time in ticks of 10 ms, as long as half a window, so other processes' time
 * is summed over this many windows to either side.
 */
const NEIGHBOURS = 3;

/** Sorts out noisy windows. At least half of them (rounded up) are always kept. */
export function judgeWindows(
  windows: readonly SampledWindow[],
  surroundings: Surroundings,
): JudgedWindows {
  const usualNs = longRunReferenceNs(windows);
  const judged = windows.map((window, i) => ({
    window,
    order: i,
    score: Math.max(
      windowScore(window, usualNs),
      neighbourScore(windows.slice(Math.max(0, i - NEIGHBOURS), i + NEIGHBOURS + 1), surroundings),
    ),
  }));
  const quiet = judged.filter(({ score }) => score <= 1);
  const least = Math.ceil(windows.length / 2);
  const noisy = quiet.length < least;
  const kept = noisy
    ? judged
        .sort((a, b) => a.score - b.score || a.order - b.order)
        .slice(0, least)
        .sort((a, b) => a.order - b.order)
    : quiet;
  return {
    kept: kept.map(({ window }) => window),
    discarded: windows.length - kept.length,
    noisy,
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

/** How far a window is past the limits that it can be judged by alone; above 1 it is noisy. */
function windowScore({ referenceNs, conditions }: SampledWindow, usualNs: number): number {
  const slow = referenceNs === undefined ? 1 : Math.max(...referenceNs) / usualNs;
  const allowed = FREE_PREEMPTIONS + (PREEMPTIONS_PER_SECOND * conditions.wallNs) / 1e9;
  return Math.max(
    (slow - 1) / (SLOW_REFERENCE - 1),
    conditions.stealNs / (STOLEN_SHARE * conditions.wallNs),
    conditions.involuntarySwitches / allowed,
  );
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
