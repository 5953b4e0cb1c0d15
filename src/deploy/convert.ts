/** The deployable forms of a float32 model: float16, and int8 by static calibration. */
import type { Device } from '../device/device.js';
import { UsageError } from '../errors.js';
import { type Graph, withGraph } from '../ir/graph.js';
import { inferTypes } from '../ir/infer.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { type Float16Result, toFloat16 } from '../ir/pass/float16.js';
import { foldBatchNorm } from '../ir/pass/fold-batch-norm.js';
import { runPasses } from '../ir/pass/pass.js';
import { insertQuantization, isQuantized, type QuantizationResult } from '../ir/pass/quantize.js';
import { planQuantization, rangesNeeded } from '../ir/pass/quantize-plan.js';
import { prepareQuantization } from '../ir/pass/quantize-prepare.js';
import { storeConstants } from '../ir/pass/store-constants.js';
import { verify } from '../ir/verify.js';
import type { GivenSizes } from '../measure/dims.js';
import type { CalibrateArgs, ObservedRange } from './calibrate-task.js';
import { createTrialInputs, type ImageData, type TrialInputs } from './trial-inputs.js';

/** Sizes that the model leaves open go by `GivenSizes`. */
export interface ConvertOptions extends GivenSizes {
  /** What the model is calibrated on; random inputs where absent. */
  readonly data?: ImageData;
  /** Images to calibrate on (default 128). */
  readonly images?: number;
  /** Seed of random inputs (default 0). */
  readonly seed?: number;
}

export interface QuantizedModel extends QuantizationResult {
  /** Nodes of the graph that was quantised, after folding. */
  readonly nodes: number;
}

const CALIBRATION_IMAGES = 128;
/** Random inputs say little: a few sets are as good as many. */
const CALIBRATION_SETS = 8;
/** Extremes, for float16, settle sooner than histograms. */
const MAGNITUDE_IMAGES = 32;

/**
 * The model in float16, inputs and outputs unchanged. Runs it first, to leave in float32 whatever
 * makes values beyond ±65504. Takes the device's lease for that. Throws `UsageError` for data that
 * does not fit the model.
 */
export async function convertToFloat16(
  device: Device,
  graph: Graph,
  options: ConvertOptions = {},
): Promise<Float16Result> {
  requireFloat(graph);
  const folded = foldModel(graph);
  const types = inferTypes(folded);
  const values = folded.nodes
    .flatMap(({ outputs }) => outputs)
    .filter((name) => name !== '' && types.get(name)?.dtype === 'float32');
  const seen = await observe(device, folded, values, { images: MAGNITUDE_IMAGES, ...options });
  const magnitudes = new Map([...seen].map(([name, { min, max }]) => [name, Math.max(-min, max)]));
  const result = toFloat16(folded, { magnitudes });
  verify(result.graph);
  return result;
}

/**
 * The model in int8 (see `insertQuantization`), each activation's range clipped where it loses least.
 * Takes the device's lease to calibrate. Throws `UsageError` for data that does not fit the model, and
 * for a model that cannot be quantised: with the reason.
 */
export async function quantizeModel(
  device: Device,
  graph: Graph,
  options: ConvertOptions = {},
): Promise<QuantizedModel> {
  requireFloat(graph);
  const { graph: prepared } = prepareQuantization(graph);
  const values = rangesNeeded(planQuantization(prepared));
  if (values.length === 0) {
    throw new UsageError(
      `graph ${graph.name}: expected a Conv, Gemm or MatMul with a stored float32 weight to quantise, found none`,
    );
  }
  const seen = await observe(device, prepared, values, options);
  const lost = [...seen].find(([, { finite }]) => !finite);
  if (lost !== undefined) {
    throw new UsageError(
      `graph ${graph.name}: expected finite values to calibrate on, but ${lost[0]} became infinite or NaN` +
        (options.data === undefined ? ' on random inputs; give data' : ''),
    );
  }
  const ranges = new Map([...seen].map(([name, { clipped }]) => [name, clipped]));
  const { features, platform } = (await device.describe()).host;
  const result = insertQuantization(prepared, ranges, {
    weightLimit: weightLimit(features, platform),
  });
  verify(result.graph);
  return { ...result, nodes: prepared.nodes.length };
}

/** The same model in float32 with constants stored and batch normalisation folded. Pure. */
export function foldModel(graph: Graph): Graph {
  return runPasses(graph, [storeConstants, foldBatchNorm]).graph;
}

function requireFloat(graph: Graph): void {
  const node = graph.nodes.find(isQuantized);
  if (node === undefined) return;
  throw new UsageError(
    `graph ${graph.name}: expected a float model, received one that is quantised already: node ${node.name} (${node.op})`,
  );
}

/**
 * x86 without VNNI adds pairs of byte products in 16 bits, which saturate; with weights of 7 bits
 * they cannot.
 */
export function weightLimit(features: readonly string[], platform: string): number {
  const isX86 = /x64|x86/.test(platform);
  return isX86 && !features.some((feature) => /vnni/.test(feature)) ? 63 : 127;
}

/** What each value takes over the calibration inputs. */
async function observe(
  device: Device,
  graph: Graph,
  values: readonly string[],
  options: ConvertOptions,
): Promise<ReadonlyMap<string, ObservedRange>> {
  const { images = CALIBRATION_IMAGES, seed = 0 } = options;
  const inputs: TrialInputs = createTrialInputs(device.runner, graph, 'calibrate', {
    ...options,
    images,
    seed,
    sets: CALIBRATION_SETS,
  });
  const args: CalibrateArgs = {
    model: encodeModel(withOutputs(graph, values)),
    values,
    inputs,
    // On the CPU always: ranges are the model's, not the device's, and it has every operator.
    options: { threads: device.threads, optimization: 'basic', provider: 'cpu' },
  };
  const task = {
    module: new URL('calibrate-task.js', import.meta.url).href,
    name: 'calibrateTask',
    args,
  };
  const ranges = await device.lease(() => device.runner.call<ObservedRange[]>(task));
  return new Map(values.map((name, i) => [name, ranges[i] as ObservedRange]));
}

/** The graph with further values as outputs. */
function withOutputs(graph: Graph, values: readonly string[]): Graph {
  const present = new Set([...graph.inputs, ...graph.outputs].map(({ name }) => name));
  const added = values.filter((name) => !present.has(name));
  const outputs = added.map((name) => ({ name, dtype: 'float32' as const }));
  return withGraph(graph, { outputs: [...graph.outputs, ...outputs] });
}
