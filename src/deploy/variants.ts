/** What the deployable forms of a model cost and bring on a device, measured. */
import type { Device } from '../device/device.js';
import { isWorkFailure } from '../device/run.js';
import { errorMessage, UsageError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import { encodeModel } from '../ir/onnx/encode.js';
import type { KeptNode } from '../ir/pass/float16.js';
import { type CompareVerdict, compareModels } from '../measure/compare.js';
import { resolveInputs } from '../measure/dims.js';
import { type ConvertOptions, convertToFloat16, foldModel, quantizeModel } from './convert.js';
import type { Accuracy, OutputError, ScoreArgs, ScoreResult } from './score-task.js';
import { createTrialInputs } from './trial-inputs.js';

/** `folded`: still float32, with constants stored and batch normalisation folded. */
export type VariantName = 'folded' | 'fp16' | 'int8';

/** Latency beside the model as it is: `ratio` below 1 is faster. */
export interface RelativeLatency {
  readonly p50Ms: number;
  readonly originalP50Ms: number;
  readonly ratio: number;
  readonly ci95: readonly [number, number];
  /** Of the variant against the model as it is. */
  readonly verdict: CompareVerdict;
}

export type Variant =
  | { readonly name: VariantName; readonly made: false; readonly reason: string }
  | {
      readonly name: VariantName;
      readonly made: true;
      readonly bytes: number;
      /** Nodes in the new form, of all float nodes; those that stay, with the reason where there is one. */
      readonly converted: number;
      readonly nodes: number;
      readonly kept: readonly KeptNode[];
      readonly accuracy: Accuracy | null;
      readonly error: OutputError;
      readonly latency: RelativeLatency;
    };

export interface VariantReport {
  /** What they were run on; random inputs tell of output errors alone. */
  readonly inputs: 'images' | 'random';
  /** Runs that the outputs were compared on. */
  readonly runs: number;
  readonly original: { readonly bytes: number; readonly accuracy: Accuracy | null };
  readonly variants: readonly Variant[];
}

export interface VariantOptions extends ConvertOptions {
  /** Images to score on (default 2,000). */
  readonly scoreImages?: number;
  /** Time for the comparison of latencies, per variant (default 5). */
  readonly seconds?: number;
  readonly onProgress?: (message: string) => void;
}

const SCORE_IMAGES = 2000;
const SCORE_SETS = 16;
const COMPARE_SECONDS = 5;

interface Made {
  readonly name: VariantName;
  readonly bytes: Uint8Array;
  readonly converted: number;
  readonly nodes: number;
  readonly kept: readonly KeptNode[];
}

/**
 * Makes the folded, the float16 and the int8 form of `graph`, holds their outputs and accuracy against the
 * model's, and times each beside it. A form that cannot be made, or that the device refuses, says so.
 * Takes the device's lease. Throws `UsageError` for data that does not fit the model, and where the
 * model itself cannot run.
 */
export async function measureVariants(
  device: Device,
  graph: Graph,
  bytes: Uint8Array,
  options: VariantOptions = {},
): Promise<VariantReport> {
  const { data, seed = 0, onProgress = () => {} } = options;
  const inputs = createTrialInputs(device.runner, graph, 'score', {
    ...options,
    images: options.scoreImages ?? SCORE_IMAGES,
    sets: SCORE_SETS,
    seed: seed + 1, // other inputs than those it was calibrated on
  });
  const attempts: (Made | { readonly name: VariantName; readonly reason: string })[] = [];
  for (const [name, make] of makers) {
    onProgress(`making ${name}`);
    attempts.push(await attempt(name, () => make(device, graph, options)));
  }
  const made = attempts.filter((one): one is Made => 'bytes' in one);
  onProgress(`comparing outputs on ${data === undefined ? 'random inputs' : data.dataset.name}`);
  const args: ScoreArgs = {
    reference: bytes,
    variants: made.map((one) => one.bytes),
    inputs,
    options: device.sessionOptions(),
    ...(data !== undefined && { classes: data.dataset.classes.length }),
  };
  const task = { module: new URL('score-task.js', import.meta.url).href, name: 'scoreTask', args };
  const scores = await device.lease(() => device.runner.call<ScoreResult>(task));
  const variants: Variant[] = [];
  for (const one of attempts) {
    if (!('bytes' in one)) {
      variants.push({ ...one, made: false });
      continue;
    }
    const score = scores.variants[made.indexOf(one)];
    if (score?.ran !== true) {
      variants.push({ name: one.name, made: false, reason: score?.reason ?? 'not scored' });
      continue;
    }
    onProgress(`timing ${one.name} beside the model as it is`);
    const { accuracy, error } = score;
    const { bytes: file, ...rest } = one;
    const latency = await compareLatency(device, file, bytes, {
      ...options,
      shapes: resolveInputs(graph, options).dims,
    });
    variants.push({ ...rest, made: true, bytes: file.byteLength, accuracy, error, latency });
  }
  return {
    inputs: inputs.kind,
    runs: scores.runs,
    original: { bytes: bytes.byteLength, accuracy: scores.accuracy },
    variants,
  };
}

type Maker = (device: Device, graph: Graph, options: ConvertOptions) => Promise<Omit<Made, 'name'>>;

const makers: readonly (readonly [VariantName, Maker])[] = [
  [
    'folded',
    async (_, graph) => {
      const folded = foldModel(graph);
      const nodes = folded.nodes.length;
      return { bytes: encodeModel(folded), converted: 0, nodes, kept: [] };
    },
  ],
  [
    'fp16',
    async (device, graph, options) => {
      const { graph: half, changed, kept } = await convertToFloat16(device, graph, options);
      if (!changed) throw new UsageError('no node can run in float16');
      const nodes = half.nodes.filter(({ op }) => op !== 'Cast').length;
      return { bytes: encodeModel(half), converted: nodes - kept.length, nodes, kept };
    },
  ],
  [
    'int8',
    async (device, graph, options) => {
      const {
        graph: quantized,
        quantized: names,
        nodes,
      } = await quantizeModel(device, graph, options);
      return { bytes: encodeModel(quantized), converted: names.length, nodes, kept: [] };
    },
  ],
];

/** What cannot be made is an answer. */
async function attempt(
  name: VariantName,
  make: () => Promise<Omit<Made, 'name'>>,
): Promise<Made | { readonly name: VariantName; readonly reason: string }> {
  try {
    return { name, ...(await make()) };
  } catch (error) {
    if (!(error instanceof UsageError) && !isWorkFailure(error)) throw error;
    return { name, reason: errorMessage(error) };
  }
}

async function compareLatency(
  device: Device,
  variant: Uint8Array,
  original: Uint8Array,
  { seconds = COMPARE_SECONDS, shapes, seed }: VariantOptions,
): Promise<RelativeLatency> {
  const { ratio, ci95, verdict, a, b } = await compareModels(device, variant, original, {
    seconds,
    ...(shapes !== undefined && { shapes }),
    ...(seed !== undefined && { seed }),
  });
  return { p50Ms: a.latencyMs.p50, originalP50Ms: b.latencyMs.p50, ratio, ci95, verdict };
}
