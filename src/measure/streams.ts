/**
 * Throughput at several concurrent streams: requests run side by side on one loaded model, each
 * stream with buffers of its own, as a server has them. Counts take turns in rounds, so that drift
 * of the machine meets all of them alike; the first round only warms up.
 */
import { Timer } from '../runtime/runtime.js';
import { quantile, sortSamples } from './statistics.js';

/** What a number of streams achieves together. */
export interface StreamThroughput {
  readonly streams: number;
  /** Median over the rounds. */
  readonly runsPerSecond: number;
  /** Lowest and highest round. */
  readonly runsPerSecondRange: readonly [number, number];
  /** Of single runs, all streams and rounds pooled. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly runs: number;
}

/** Rounds that count. */
const ROUNDS = 5;

/**
 * Throughput at each of `counts` streams. `bind` gives one more timer of the model; `seconds` is the
 * time of all rounds together, the one that warms up included.
 */
export async function measureStreams(
  counts: readonly number[],
  bind: (stream: number) => Promise<Timer>,
  seconds: number,
): Promise<StreamThroughput[]> {
  const timers: Timer[] = [];
  for (let stream = 0; stream < Math.max(...counts); stream++) timers.push(await bind(stream));
  const durationNs = Math.max(1, Math.round((seconds * 1e9) / ((ROUNDS + 1) * counts.length)));
  const rates = counts.map((): number[] => []);
  const samples = counts.map((): Float64Array[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [i, count] of counts.entries()) {
      const { samplesNs, wallNs } = await Timer.runTogether(timers.slice(0, count), durationNs);
      if (round === 0) continue;
      const runs = samplesNs.reduce((sum, { length }) => sum + length, 0);
      rates[i]?.push(runs / (wallNs / 1e9));
      samples[i]?.push(...samplesNs);
    }
  }
  for (const timer of timers) timer.release();
  return counts.map((streams, i) => summarizeStreams(streams, rates[i] ?? [], samples[i] ?? []));
}

function summarizeStreams(
  streams: number,
  rates: readonly number[],
  samplesNs: readonly Float64Array[],
): StreamThroughput {
  const sortedRates = Float64Array.from(rates).sort();
  const sorted = sortSamples(samplesNs);
  return {
    streams,
    runsPerSecond: quantile(sortedRates, 0.5),
    runsPerSecondRange: [quantile(sortedRates, 0), quantile(sortedRates, 1)],
    latencyMs: { p50: quantile(sorted, 0.5) / 1e6, p99: quantile(sorted, 0.99) / 1e6 },
    runs: sorted.length,
  };
}
