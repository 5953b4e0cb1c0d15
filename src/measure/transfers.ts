/**
 * What a request to a device is made of, by the names and rules that users of TensorRT's tools know:
 * copying the inputs there (h2d), computing, copying the outputs back (d2h), and how long the
 * processor takes to launch it all (enqueue).
 *
 * Inputs and outputs are bound on the host or on the device, in all combinations needed, and windows
 * of these take turns. Computing is what a run takes with both on the device; a copy is the
 * difference that binding one of them on the host makes. So a copy that overlaps with computing
 * costs nothing here, and differences below the noise are zero.
 */
import type { Placement, Timer } from '../runtime/runtime.js';
import { runOf } from './candidate.js';
import type { BenchFlag } from './flags.js';
import { planWindows, runPlanned } from './sampler.js';
import { mean, median, medianInterval, stddev } from './statistics.js';

/** A part of a request: the median and its 95 % interval, both clamped at zero. */
export interface Part {
  readonly p50: number;
  readonly ci95: readonly [number, number];
}

/** Milliseconds of one request's parts. */
export interface Transfers {
  readonly h2dMs: Part;
  readonly computeMs: Part & {
    /** Standard deviation ÷ mean of single runs. */
    readonly variation: number;
  };
  readonly d2hMs: Part;
  readonly enqueueMs: Part;
}

/** Windows of the three placements, one round: medians in nanoseconds. */
export interface TransferRound {
  /** Inputs and outputs on the device, and the samples of that window. */
  readonly computeNs: Float64Array;
  readonly enqueueNs: number;
  /** Inputs on the host, outputs on the device. */
  readonly hostInputsNs: number;
  /** Inputs on the device, outputs on the host. */
  readonly hostOutputsNs: number;
}

/** Rounds: enough for a 95 % interval of their median (see `quantileRanks`) … */
const MIN_ROUNDS = 6;
/** … and no more than this. */
const MAX_ROUNDS = 60;

/** Runs that it takes at the least: every timer is made with two, and each round has three. */
export const TRANSFER_RUNS = 3 * (2 + MIN_ROUNDS);

/** Enqueue ÷ compute above which the device waits for the processor. */
const ENQUEUE_BOUND = 0.8;
/** Standard deviation ÷ mean of computing above which it is unstable. */
const VARIATION = 0.025;

/**
 * Measures the parts in rounds for about `seconds`. `bind` gives a timer of the model with its
 * tensors placed so; `runNs` is what a run takes, roughly.
 */
export async function measureTransfers(
  bind: (placement: Placement) => Promise<Timer>,
  runNs: number,
  seconds: number,
): Promise<Transfers> {
  const device = await bind({ inputs: 'device', outputs: 'device' });
  const hostInputs = await bind({ inputs: 'host', outputs: 'device' });
  const hostOutputs = await bind({ inputs: 'device', outputs: 'host' });
  const plan = planWindows(runNs);
  const window = (timer: Timer) => runPlanned(runOf(timer), plan);
  const rounds: TransferRound[] = [];
  const start = performance.now();
  const isOver = (): boolean => performance.now() - start > 1e3 * seconds;
  while (rounds.length < MIN_ROUNDS || (rounds.length < MAX_ROUNDS && !isOver())) {
    const computed = await window(device);
    rounds.push({
      computeNs: computed.samplesNs,
      enqueueNs: median(computed.enqueueNs),
      hostInputsNs: median((await window(hostInputs)).samplesNs),
      hostOutputsNs: median((await window(hostOutputs)).samplesNs),
    });
  }
  for (const timer of [device, hostInputs, hostOutputs]) timer.release();
  return summarizeTransfers(rounds);
}

/** The parts by the rounds' differences. */
export function summarizeTransfers(rounds: readonly TransferRound[]): Transfers {
  const computed = rounds.map(({ computeNs }) => median(computeNs));
  const over = (pick: (round: TransferRound) => number): Part =>
    partOf(rounds.map((round, i) => pick(round) - (computed[i] as number)));
  // Within windows: what differs between them is drift, not how steady the device computes.
  const variations = rounds.map(({ computeNs }) => stddev(computeNs) / mean(computeNs));
  return {
    h2dMs: over(({ hostInputsNs }) => hostInputsNs),
    computeMs: { ...partOf(computed), variation: median(variations) },
    d2hMs: over(({ hostOutputsNs }) => hostOutputsNs),
    enqueueMs: partOf(rounds.map(({ enqueueNs }) => enqueueNs)),
  };
}

function partOf(valuesNs: readonly number[]): Part {
  const toMs = (ns: number): number => Math.max(0, ns) / 1e6;
  // Each round is a window of its own: they are what counts as independent.
  const [low, high] = medianInterval(valuesNs.map((value) => [value]));
  return { p50: toMs(median(valuesNs)), ci95: [toMs(low), toMs(high)] };
}

/** What the parts say about each other. */
export function judgeTransfers(parts: Transfers): Readonly<Partial<Record<BenchFlag, boolean>>> {
  const compute = parts.computeMs.p50;
  return {
    'enqueue-bound': parts.enqueueMs.p50 > ENQUEUE_BOUND * compute,
    'h2d-bound': parts.h2dMs.p50 >= compute,
    'd2h-bound': parts.d2hMs.p50 >= compute,
    unstable: parts.computeMs.variation > VARIATION,
  };
}
