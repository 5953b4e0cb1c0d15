/**
 * Drives timers window by window, candidate and reference in alternation (A B A B …). Knows no
 * statistics and no stopping rule: after each window it asks `isDone`.
 *
 * What the reference leaves in the caches is the candidate's cold start, so the first runs of each
 * window are run and not counted. A run that is short beside the clock's own cost is timed in
 * groups; a group's mean hides the tail within it, so its percentiles are flagged `grouped`.
 */
import type { TimingPlan, TimingWindow } from '../runtime/runtime.js';
import type { SampledWindow } from './noise.js';
import { median } from './statistics.js';

/** How the runs of a window follow one another; one after the other with warm caches by default. */
export type SamplingMode = Pick<TimingPlan, 'flushBytes' | 'intervalNs'>;

/** Times `samples` samples of `group` runs each. */
export type RunWindow = (samples: number, group: number) => Promise<TimingWindow>;

export interface WindowPlan {
  /** Runs per sample. */
  readonly group: number;
  /** Samples at the start of a window that only warm the caches again. */
  readonly dropped: number;
  /** Samples that count. */
  readonly kept: number;
}

/** Wall time that a window should take: long beside its re-warm-up, short beside drift. */
const WINDOW_NS = 20e6;
/** Slow candidates get up to this many runs in a window, as long as … */
const LEAST_KEPT = 5;
/** … a window of theirs does not exceed this. */
const LONGEST_WINDOW_NS = 100e6;
/** Part of a window that is left to the caches and branch predictors, in runs of the candidate. */
const REWARM_NS = 1e6;
/** A run longer than this takes no notice of what the small reference evicted. */
const REWARM_LIMIT_NS = 20e6;
/** Reading the clock costs some 50 ns: 0.2 % of a run of this length. Shorter runs are grouped … */
const GROUP_BELOW_NS = 25e3;
/** … to samples of this length, where it is 0.1 %. */
const GROUPED_SAMPLE_NS = 50e3;
/** Wall time of a reference window: about a hundred of its runs, a tenth to a fifth of the whole. */
const REFERENCE_WINDOW_NS = 4e6;

/** Bytes per nanosecond at which caches are flushed, roughly. */
const FLUSH_RATE = 10;

/**
 * The plan for runs that take about `runNs`. Runs that are paced or begin with cold caches are never
 * grouped, and there are several in a window whatever it takes; of paced ones the first is dropped,
 * since it follows the reference graph instead of a pause.
 */
export function planWindows(
  runNs: number,
  windowNs: number = WINDOW_NS,
  { flushBytes = 0, intervalNs = 0 }: SamplingMode = {},
): WindowPlan {
  if (flushBytes > 0 || intervalNs > 0) {
    const sampleNs = Math.max(runNs + flushBytes / FLUSH_RATE, intervalNs);
    const kept = Math.max(LEAST_KEPT, Math.ceil(windowNs / sampleNs));
    return { group: 1, dropped: intervalNs > 0 ? 1 : 0, kept };
  }
  const group = runNs < GROUP_BELOW_NS ? Math.ceil(GROUPED_SAMPLE_NS / runNs) : 1;
  const sampleNs = runNs * group;
  return {
    group,
    dropped: sampleNs > REWARM_LIMIT_NS ? 0 : Math.ceil(REWARM_NS / sampleNs),
    kept: Math.max(
      Math.ceil(windowNs / sampleNs),
      Math.min(LEAST_KEPT, Math.ceil(LONGEST_WINDOW_NS / sampleNs)),
    ),
  };
}

/** The plan for windows of the reference, whose runs take about `runNs`. */
export function planReference(runNs: number): WindowPlan {
  return planWindows(runNs, REFERENCE_WINDOW_NS);
}

/** One window by plan, its re-warm-up dropped from the samples. */
export async function runPlanned(run: RunWindow, plan: WindowPlan): Promise<TimingWindow> {
  const window = await run(plan.dropped + plan.kept, plan.group);
  return {
    ...window,
    samplesNs: window.samplesNs.subarray(plan.dropped),
    enqueueNs: window.enqueueNs.subarray(plan.dropped),
  };
}

/** A graph to be timed and its plan. */
export interface Planned {
  readonly run: RunWindow;
  readonly plan: WindowPlan;
}

/**
 * Samples windows of `candidate`, each between two of `reference` (when there is one), until
 * `isDone` says so. `seconds` counts from the first window and includes everything.
 */
export async function sampleWindows(
  candidate: Planned,
  reference: Planned | undefined,
  isDone: (windows: readonly SampledWindow[], seconds: number) => boolean,
): Promise<SampledWindow[]> {
  const start = performance.now();
  const runReference = async (): Promise<number> =>
    reference === undefined
      ? Number.NaN
      : median((await runPlanned(reference.run, reference.plan)).samplesNs);
  const windows: SampledWindow[] = [];
  let before = await runReference();
  do {
    const {
      samplesNs,
      enqueueNs: _,
      ...conditions
    } = await runPlanned(candidate.run, candidate.plan);
    const after = await runReference();
    windows.push({
      samplesNs,
      referenceNs: reference === undefined ? undefined : [before, after],
      conditions,
    });
    before = after;
  } while (!isDone(windows, (performance.now() - start) / 1e3));
  return windows;
}
