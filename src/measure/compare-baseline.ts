/**
 * A measurement against an earlier one. Weaker than `compareModels`: the two saw different moments
 * of the machine and different processes, and only the reference graph that each was interleaved
 * with ties them together. So the drift-corrected medians are compared, the interval is widened by
 * what two processes of one model differ by, and nothing is said at all where the measurements are
 * not of the same machine, device and inputs.
 */
import { type CompareVerdict, decideVerdict, type RatioEstimate } from './compare-statistics.js';
import type { Measurement } from './measure.js';

/** A measurement and the machine that it was made on. */
export interface MeasuredAt {
  readonly host: Readonly<Record<string, unknown>>;
  readonly result: Pick<
    Measurement,
    'device' | 'provider' | 'threads' | 'inputs' | 'mode' | 'latencyMs' | 'correctedMs'
  >;
}

/** What two fresh processes of the same model may differ by, either way: where memory lies. */
export const PROCESS_SPREAD = 0.015;
/** SAME against a baseline means within this; less could not be shown with that spread. */
export const BASELINE_EQUIVALENCE = 0.04;

/** What of a host makes its latencies its own. */
const hostFacts = [
  'cpuModel',
  'logicalCores',
  'availableCores',
  'platform',
  'runtimeVersion',
  'adapter',
  'driver',
] as const;

/** What two measurements differ in so that they cannot be compared, such as `threads 1 and 2`. */
export function explainMismatch(a: MeasuredAt, b: MeasuredAt): string[] {
  const facts = ({ host, result }: MeasuredAt): Record<string, unknown> => ({
    ...Object.fromEntries(hostFacts.map((fact) => [fact, host[fact]])),
    device: result.device,
    provider: result.provider,
    threads: result.threads,
    inputs: Object.entries(result.inputs)
      .map(([name, { type, shape }]) => `${name} ${type}[${shape.join(', ')}]`)
      .sort()
      .join('; '),
    cache: result.mode?.cache,
    everyMs: result.mode?.everyMs,
  });
  const [left, right] = [facts(a), facts(b)];
  return Object.keys(left)
    .filter((fact) => (left[fact] ?? null) !== (right[fact] ?? null))
    .map((fact) => `${fact} (${left[fact] ?? 'unknown'} and ${right[fact] ?? 'unknown'})`);
}

/** Verdict and ratio of a's corrected median ÷ the baseline's. */
export function compareMeasurements(
  a: MeasuredAt['result'],
  baseline: MeasuredAt['result'],
): RatioEstimate & { readonly verdict: CompareVerdict } {
  const ratio = a.correctedMs.p50 / baseline.correctedMs.p50;
  const [low, high] = [relativeEnds(a), relativeEnds(baseline)];
  // As if the intervals were one: each end as far as both half-widths and the spread together.
  const below = Math.hypot(low[0], high[1], PROCESS_SPREAD);
  const above = Math.hypot(low[1], high[0], PROCESS_SPREAD);
  const ci95 = [ratio * Math.exp(-below), ratio * Math.exp(above)] as const;
  return { ratio, ci95, verdict: decideVerdict(ci95, BASELINE_EQUIVALENCE) };
}

/** How far the ends of the median's interval are from it, as logarithms. */
function relativeEnds({ latencyMs: { p50, ci95 } }: MeasuredAt['result']): [number, number] {
  return [Math.log(p50 / ci95[0]), Math.log(ci95[1] / p50)];
}
