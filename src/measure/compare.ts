/**
 * Which of two models is faster on a device, and by how much? Both are loaded in one process that
 * has loaded nothing else, with the device's lease held throughout, and timed in alternation, so
 * that whatever happens to the machine happens to both. See `compare-statistics.ts` for what makes
 * a verdict.
 */
import type { Device } from '../device/device.js';
import { UsageError } from '../errors.js';
import { inferCost } from '../ir/cost.js';
import type { Graph } from '../ir/graph.js';
import { decodeModel } from '../ir/onnx/decode.js';
import { Runner } from '../runtime/runtime.js';
import type { CompareArgs, CompareResult, Contestant } from './compare-task.js';
import { inputDims, resolveDims } from './dims.js';

export type { OutputDifference } from './compare-outputs.js';
export { type CompareVerdict, EQUIVALENCE, LEAST_DIFFERENCE } from './compare-statistics.js';

export interface CompareOptions {
  /** Time for the comparison at most (default 20); it ends as soon as a verdict stands. */
  readonly seconds?: number;
  /** Sizes of symbolic dimensions, of either model or both, by name; 1 where none is given. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Seed of the random inputs and of the order (default 0). */
  readonly seed?: number;
  readonly signal?: AbortSignal;
  /** Gets one line if another process has the device. */
  readonly onWait?: (message: string) => void;
}

/** One of the two models in a `Comparison`. */
export interface ComparedModel extends Omit<Contestant, 'latencyMs'> {
  readonly latencyMs: Omit<Contestant['latencyMs'], 'count' | 'outliers'>;
  /** Samples that the latency is computed from. */
  readonly samples: number;
  readonly cost: { readonly params: number; readonly macs: number };
}

/** The contract `archwright.compare/1`, without schema, host and the models' names. */
export interface Comparison extends Omit<CompareResult, 'a' | 'b'> {
  readonly device: string;
  readonly provider: string;
  readonly threads: number;
  readonly a: ComparedModel;
  readonly b: ComparedModel;
}

/** Half of it passes before a comparison of two equal models on a quiet machine is undecided. */
const DEFAULT_SECONDS = 20;
/** A comparison that takes this much longer than its budget hangs. */
const GRACE_MS = 600_000;

/**
 * Compares model `a` with model `b` (bytes of ONNX files): verdict and ratio are of a's median
 * latency ÷ b's. Takes the device's lease: not to be called by one who holds it. Throws `UsageError`
 * for bad options and for a model that cannot be decoded, `TaskError` for one that ONNX Runtime
 * refuses, `RunnerError` where the process ended.
 */
export async function compareModels(
  device: Device,
  a: Uint8Array,
  b: Uint8Array,
  options: CompareOptions = {},
): Promise<Comparison> {
  const { seconds = DEFAULT_SECONDS, dims = {}, seed = 0, signal, onWait } = options;
  if (!Number.isFinite(seconds) || seconds <= 0) {
    throw new UsageError(`seconds: expected a number above 0, received ${seconds}`);
  }
  const graphs = [decodeModel(a, 'a'), decodeModel(b, 'b')] as const;
  const [dimsA, dimsB] = resolveBoth(graphs, dims);
  const args: CompareArgs = {
    a: { model: a, dims: inputDims(graphs[0], dimsA) },
    b: { model: b, dims: inputDims(graphs[1], dimsB) },
    session: device.sessionOptions(),
    seed,
    maxSeconds: seconds,
  };
  const result = await device.lease(async () => {
    const runner = new Runner();
    try {
      return await runner.call<CompareResult>(
        {
          module: new URL('compare-task.js', import.meta.url).href,
          name: 'compareTask',
          args,
        },
        { timeoutMs: 1e3 * seconds + GRACE_MS, ...(signal !== undefined && { signal }) },
      );
    } finally {
      await runner.close();
    }
  }, onWait);
  return {
    ...result,
    device: device.id,
    provider: device.provider,
    threads: device.threads,
    a: describeContestant(result.a, graphs[0], dimsA),
    b: describeContestant(result.b, graphs[1], dimsB),
  };
}

/** Each dimension goes to the models that have it; `resolveDims` complains of one that none has. */
function resolveBoth(
  [a, b]: readonly [Graph, Graph],
  given: Readonly<Record<string, number>>,
): readonly [Record<string, number>, Record<string, number>] {
  const symbolsOf = (graph: Graph) => new Set(graph.inputs.flatMap(({ shape = [] }) => shape));
  const [symbolsA, symbolsB] = [symbolsOf(a), symbolsOf(b)];
  const ofA = Object.entries(given).filter(([name]) => symbolsA.has(name) || !symbolsB.has(name));
  const ofB = Object.entries(given).filter(([name]) => symbolsB.has(name));
  return [resolveDims(a, Object.fromEntries(ofA)), resolveDims(b, Object.fromEntries(ofB))];
}

function describeContestant(
  { inputs, latencyMs, loadMs }: Contestant,
  graph: Graph,
  dims: Readonly<Record<string, number>>,
): ComparedModel {
  const { count: samples, outliers: _, ...latency } = latencyMs;
  const { params, macs } = inferCost(graph, dims);
  return { inputs, latencyMs: latency, samples, loadMs, cost: { params, macs } };
}
