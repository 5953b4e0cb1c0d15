/**
 * Which of two models is faster on a device, and by how much? Both are loaded in one process that
 * has loaded nothing else, with the device's lease held throughout, and timed in alternation, so
 * that whatever happens to the machine happens to both. See `compare-statistics.ts` for what makes
 * a verdict.
 */
import type { Device } from '../device/device.js';
import { UsageError } from '../errors.js';
import type { GraphCost } from '../ir/cost.js';
import type { Graph } from '../ir/graph.js';
import { decodeModel } from '../ir/onnx/decode.js';
import { Runner } from '../runtime/runtime.js';
import type { CandidateArgs } from './candidate.js';
import type { Both, Side } from './compare-round.js';
import type { CompareArgs, CompareResult, Contestant } from './compare-task.js';
import { type GivenSizes, type ResolvedInputs, resolveInputs } from './dims.js';
import type { InputDims } from './inputs.js';
import { explainShapes, inferCostOf, withKnownRanks } from './measure.js';

export type { OutputDifference } from './compare-outputs.js';
export { type CompareVerdict, EQUIVALENCE, LEAST_DIFFERENCE } from './compare-statistics.js';

export interface CompareOptions {
  /** Time for the comparison at most (default 20); it ends as soon as a verdict stands. */
  readonly seconds?: number;
  /** Sizes of symbolic dimensions, of either model or both, by name. */
  readonly dims?: Readonly<Record<string, number>>;
  /** Shapes of inputs, of either model or both, by name. */
  readonly shapes?: InputDims;
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
  /** What was assumed of the inputs; a line each. */
  readonly notes: readonly string[];
}

const DEFAULT_SECONDS = 20;
/**
 * Idle threads of one session spin for some 10 ms after its runs, and take the other's cores; these
 * are told to stop at the end of each run.
 */
const NO_SPINNING = { 'session.force_spinning_stop': '1' };
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
  const { seconds = DEFAULT_SECONDS, seed = 0, signal, onWait } = options;
  if (!Number.isFinite(seconds) || seconds <= 0) {
    throw new UsageError(`seconds: expected a number above 0, received ${seconds}`);
  }
  const graphs = { a: decodeModel(a, 'a'), b: decodeModel(b, 'b') };
  const inputs = resolveBoth(graphs, options);
  const notes = [...new Set([...inputs.a.notes, ...inputs.b.notes])];
  const costs = { a: inferCostOf(inputs.a), b: inferCostOf(inputs.b) };
  const session = device.sessionOptions({ config: NO_SPINNING });
  const candidate = (side: Side, model: Uint8Array): CandidateArgs => ({
    model: withKnownRanks(model, graphs[side], inputs[side].graph),
    dims: inputs[side].dims,
    session,
    seed,
  });
  const args: CompareArgs = {
    a: candidate('a', a),
    b: candidate('b', b),
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
    } catch (error) {
      throw explainShapes(error, { notes });
    } finally {
      await runner.close();
    }
  }, onWait);
  return {
    ...result,
    device: device.id,
    provider: device.provider,
    threads: device.threads,
    a: describeContestant(result.a, costs.a),
    b: describeContestant(result.b, costs.b),
    notes,
  };
}

/** Each size goes to the models that have it; a complains of one that neither has. */
function resolveBoth({ a, b }: Both<Graph>, given: GivenSizes): Both<ResolvedInputs> {
  const sizesOf = (graph: Graph, other: Graph): GivenSizes => ({
    dims: withoutThoseOf(given.dims, symbolsOf(other), symbolsOf(graph)),
    shapes: withoutThoseOf(given.shapes, namesOf(other), namesOf(graph)),
  });
  return { a: resolveInputs(a, sizesOf(a, b)), b: resolveInputs(b, sizesOf(b, a)) };
}

/** Entries whose keys are in `own`, or in neither set. */
function withoutThoseOf<T>(
  given: Readonly<Record<string, T>> | undefined,
  others: ReadonlySet<unknown>,
  own: ReadonlySet<unknown>,
): Record<string, T> {
  const entries = Object.entries(given ?? {});
  return Object.fromEntries(entries.filter(([name]) => own.has(name) || !others.has(name)));
}

function symbolsOf(graph: Graph): ReadonlySet<unknown> {
  return new Set(graph.inputs.flatMap(({ shape = [] }) => shape));
}

function namesOf(graph: Graph): ReadonlySet<unknown> {
  return new Set(graph.inputs.map(({ name }) => name));
}

function describeContestant(
  { inputs, latencyMs, loadMs }: Contestant,
  { params, macs }: GraphCost,
): ComparedModel {
  const { count: samples, outliers: _, ...latency } = latencyMs;
  return { inputs, latencyMs: latency, samples, loadMs, cost: { params, macs } };
}
