/**
 * The evaluator of one machine: every stage on a local device. Weights are drawn here, scores are
 * computed here; a candidate brings nothing but its graph.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../data/data.js';
import type { Device } from '../device/device.js';
import { isWorkFailure, runModel } from '../device/run.js';
import { ArchwrightError, errorMessage } from '../errors.js';
import type { Limits } from '../guard/guard.js';
import { type Graph, withGraph } from '../ir/graph.js';
import { hashGraph } from '../ir/hash.js';
import { encodeModel } from '../ir/onnx/encode.js';
import { removeDeadNodes } from '../ir/pass/dead-nodes.js';
import { measureLatencyBriefly, measureModel } from '../measure/measure.js';
import type { Space } from '../space/space.js';
import { deployGraph, labelsOf } from '../train/deploy.js';
import type { ClassificationResult } from '../train/evaluate.js';
import { drawWeights } from '../train/initialize.js';
import type { Recipe } from '../train/recipe.js';
import {
  normalizedRows,
  type SplitName,
  shareDataset,
  sharedSplit,
} from '../train/shared-images.js';
import {
  type TrainProgress,
  type TrainResult,
  trainerModule,
  withWeights,
} from '../train/trainer.js';
import type { Json } from '../trial/trial.js';
import { Rng } from '../util/random.js';
import { loadWeights, saveWeights, writeDurably } from './artifacts.js';
import {
  type BaselineDesign,
  type Candidate,
  type Design,
  type Evaluator,
  HIDDEN_CORRECT,
  HIDDEN_SAMPLES,
  inheritedOf,
  type PassedStage,
  type StageCall,
  type StageName,
  type StageOutcome,
} from './evaluate.js';
import { createForecaster } from './forecast.js';
import { foreignTextOf, parseForeign } from './foreign-graph.js';
import { inheritFromParents } from './inheritance.js';
import { examineStatically } from './static.js';

export interface LocalEvaluatorOptions<A> {
  readonly space: Space<A>;
  readonly dataset: Dataset;
  /** Where candidates are measured. */
  readonly device: Device;
  /** Where they are trained and scored: the CPU. */
  readonly trainer: Device;
  readonly recipe: Recipe;
  /** Training length of the stage `train`, and what `extend` adds. */
  readonly epochs: { readonly short: number; readonly long: number };
  /** Whether short training starts from the weights of the candidate's parents. */
  readonly inherit: boolean;
  readonly limits: Limits;
  /** Time budget of one full measurement. */
  readonly measureSeconds: number;
  /** A training or measurement that takes longer fails the trial. */
  readonly trialSeconds: number;
  readonly runDir: string;
  /** Written into every exported file. */
  readonly provenance: Readonly<Record<string, string>>;
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** Time of the brief probe that spares the training of what is clearly too slow. */
const SCREEN_SECONDS = 0.25;
/** The probe rejects only beyond this many times the limit: it is brief, and the machine noisy. */
const SCREEN_MARGIN = 1.2;
/** Images whose logits are kept beside an exported file, so that anyone can check it. */
const CHECK_IMAGES = 8;

/** An evaluator on the two devices. Shares the data with the trainer's runner at once. */
export function createLocalEvaluator<A>(options: LocalEvaluatorOptions<A>): Evaluator {
  const { space, dataset, trainer } = options;
  shareDataset(trainer.runner, dataset);
  const baselines: BaselineDesign[] = space.baselines().map(({ name, graph }) => ({
    name,
    graph,
    hash: hashGraph(graph),
    description: `human design ${name}`,
  }));
  return {
    baselines,
    forecast: createForecaster(),
    decode(architecture: Json): Design {
      const text = foreignTextOf(architecture);
      if (text !== undefined) {
        const graph = withoutDeadNodes(parseForeign(text, space.task));
        const description = `graph of ${graph.nodes.length} nodes`;
        return { graph, hash: hashGraph(graph), description };
      }
      const point = space.parse(architecture);
      const graph = withoutDeadNodes(space.decode(point));
      return { graph, hash: hashGraph(graph), description: space.describe(point) };
    },
    async run(candidate: Candidate, call: StageCall): Promise<StageOutcome> {
      try {
        return await stages[call.stage](options, candidate, call);
      } catch (error) {
        // What the candidate did to a runner or to our own checks is its outcome; the rest is not.
        if (!isWorkFailure(error) && !(error instanceof CandidateError)) throw error;
        return { status: 'failed', reason: errorMessage(error), metrics: {} };
      }
    },
  };
}

/** The graph that is trained and shipped: weights that no output needs would never get a value. */
function withoutDeadNodes(graph: Graph): Graph {
  return removeDeadNodes(graph).graph;
}

/** A fault of the candidate that ends its trial. */
class CandidateError extends ArchwrightError {
  override name = 'CandidateError';
}

type Stage = (
  options: LocalEvaluatorOptions<unknown>,
  candidate: Candidate,
  call: StageCall,
) => Promise<StageOutcome>;

const stages: Readonly<Record<StageName, Stage>> = {
  async limits({ limits }, { graph }) {
    const { illegal, metrics, violations } = examineStatically(graph, limits);
    if (illegal !== undefined) return { status: 'failed', reason: illegal, metrics: {} };
    if (violations.length > 0) return { status: 'infeasible', metrics, violations };
    return { status: 'passed', metrics };
  },

  async screen(options, { graph }, { constraints, seed }) {
    const limit = Math.min(
      ...constraints.flatMap((c) => (c.metric === 'latencyMs' && c.max !== undefined ? c.max : [])),
    );
    if (limit === Number.POSITIVE_INFINITY) return { status: 'passed', metrics: {} };
    const drawn = drawWeights(graph, new Rng(seed));
    const model = encodeModel(deployGraph(drawn, { classes: options.dataset.classes }));
    const latency = await measureLatencyBriefly(options.device, model, { seconds: SCREEN_SECONDS });
    const [atLeast] = latency.ci95;
    if (atLeast <= limit * SCREEN_MARGIN) return { status: 'passed', metrics: {} };
    return {
      status: 'infeasible',
      metrics: { latencyMs: latency.p50Ms },
      violations: [{ metric: 'latencyMs', limit, actual: latency.p50Ms }],
    };
  },

  async train(options, candidate, call) {
    const { graph } = candidate;
    const inherited = options.inherit
      ? await inheritFromParents(options.runDir, graph, call, `${call.seed}/train`)
      : undefined;
    const start = inherited?.graph ?? graph;
    const passed = await trainAndScore(options, candidate, call, start, options.epochs.short);
    if (inherited === undefined) return passed;
    const detail = { ...(passed.detail as Record<string, Json>), inherited: inherited.record };
    return { ...passed, detail };
  },

  async measure(options, { graph }, { history }) {
    const trained = await loadWeights(options.runDir, graph, history, 'train');
    const model = encodeModel(deployGraph(trained, { classes: options.dataset.classes }));
    const measured = await measureModel(options.device, model, { seconds: options.measureSeconds });
    if (measured.flags.includes('output-mismatch')) {
      return { status: 'failed', reason: 'its timed output differs from a plain run', metrics: {} };
    }
    if (measured.flags.includes('wrong-output')) {
      const reason = `on ${options.device.id} its output differs from that on the CPU`;
      return { status: 'failed', reason, metrics: {} };
    }
    if (measured.flags.includes('below-floor')) {
      const reason = 'its latency is below what the hardware can do: an instrument fault';
      return { status: 'failed', reason, metrics: {} };
    }
    const { arenaPeakBytes, processPeakBytes } = measured.memory;
    return {
      status: 'passed',
      metrics: { latencyMs: measured.latencyMs.p50, arenaPeakBytes, processPeakBytes },
      detail: JSON.parse(JSON.stringify(measured)) as Json,
    };
  },

  async extend(options, candidate, call) {
    const { graph } = candidate;
    const { epochs, runDir } = options;
    const trained =
      inheritedOf(call.history) === null
        ? await loadWeights(runDir, graph, call.history, 'train')
        : (await train(options, graph, epochs.short, `${call.seed}/train`)).graph;
    return trainAndScore(options, candidate, call, trained, epochs.long);
  },

  async retest(options, candidate, call) {
    const { epochs } = options;
    const short = await train(options, candidate.graph, epochs.short, `${call.seed}/train`);
    const long = await train(options, short.graph, epochs.long, `${call.seed}/extend`);
    const { accuracy } = await score(options, long.graph, 'search');
    return { status: 'passed', metrics: { accuracy } };
  },

  async hidden(options, { graph }, { history }) {
    const trained = await loadWeights(options.runDir, graph, history, 'extend');
    const { correct, count } = await score(options, trained, 'hidden');
    return { status: 'passed', metrics: { [HIDDEN_CORRECT]: correct, [HIDDEN_SAMPLES]: count } };
  },

  async export(options, candidate, { history }) {
    const trained = await loadWeights(options.runDir, candidate.graph, history, 'extend');
    const name = `trial-${String(candidate.id).padStart(4, '0')}`;
    const graph = withGraph(deployGraph(trained, describe(options, candidate)), { name });
    const path = `front/${name}.onnx`;
    await writeDurably(join(options.runDir, path), encodeModel(graph));
    const detail = { check: await checkLogits(options, path) };
    return { status: 'passed', metrics: {}, artifacts: { onnx: path }, detail };
  },
};

/** What a stored or exported file says of itself. */
function describe({ dataset, provenance }: LocalEvaluatorOptions<unknown>, candidate: Candidate) {
  return {
    classes: dataset.classes,
    metadata: {
      ...provenance,
      'archwright.trial': String(candidate.id),
      'archwright.agent': candidate.agent,
      'archwright.hash': candidate.hash,
      'archwright.architecture': JSON.stringify(candidate.architecture),
      'input.mean': JSON.stringify(dataset.mean),
      'input.std': JSON.stringify(dataset.std),
    },
  };
}

async function trainAndScore(
  options: LocalEvaluatorOptions<unknown>,
  candidate: Candidate,
  call: StageCall,
  graph: Graph,
  epochs: number,
): Promise<PassedStage> {
  // Each stage shuffles anew; the weights are drawn once, by whichever stage meets none.
  const trained = await train(options, graph, epochs, `${call.seed}/${call.stage}`);
  const { accuracy } = await score(options, trained.graph, 'search');
  const { classes, metadata } = describe(options, candidate);
  const kept = withGraph(trained.graph, {
    metadata: { ...trained.graph.metadata, ...labelsOf({ classes, metadata }) },
  });
  const weights = await saveWeights(options.runDir, candidate.id, call.stage, kept);
  const { losses, steps, seconds } = trained.result;
  return {
    status: 'passed',
    metrics: { accuracy },
    detail: { steps, trainSeconds: seconds, losses: thin(losses) },
    artifacts: { weights },
  };
}

async function train(
  options: LocalEvaluatorOptions<unknown>,
  graph: Graph,
  epochs: number,
  seed: string,
): Promise<{ graph: Graph; result: TrainResult }> {
  const { trainer, recipe, onProgress } = options;
  const task = {
    module: trainerModule,
    name: 'trainTask',
    args: {
      graph,
      recipe,
      data: sharedSplit(options.dataset, 'train'),
      epochs,
      seed,
      threads: trainer.threads,
    },
  };
  const result = await trainer.lease(() =>
    trainer.runner.call<TrainResult>(task, {
      timeoutMs: options.trialSeconds * 1e3,
      ...(onProgress && { onProgress: (value) => onProgress(value as TrainProgress) }),
    }),
  );
  if (result.diverged !== undefined) {
    const { step, loss } = result.diverged;
    throw new CandidateError(`training diverged at step ${step}: the loss became ${loss}`);
  }
  return { graph: withWeights(graph, result.weights), result };
}

async function score(
  options: LocalEvaluatorOptions<unknown>,
  graph: Graph,
  split: SplitName,
): Promise<ClassificationResult> {
  const { dataset, trainer } = options;
  const deployed = deployGraph(graph, { classes: dataset.classes });
  const args = { graph: deployed, data: sharedSplit(dataset, split), threads: trainer.threads };
  return trainer.lease(() =>
    trainer.runner.call<ClassificationResult>(
      { module: trainerModule, name: 'evaluateTask', args },
      { timeoutMs: options.trialSeconds * 1e3 },
    ),
  );
}

/** Logits of the exported file for the first images of the search split, from the file itself. */
async function checkLogits(options: LocalEvaluatorOptions<unknown>, path: string): Promise<Json> {
  const { dataset, trainer } = options;
  const split = dataset.search;
  const rows = Math.min(CHECK_IMAGES, split.count);
  const feed = normalizedRows(sharedSplit(dataset, 'search'), split.images, 0, rows);
  const model = new Uint8Array(await readFile(join(options.runDir, path)));
  const outputs = await runModel(trainer, model, { image: feed });
  const logits = outputs.logits?.data as Float32Array;
  return { split: 'search', rows, logits: Array.from(logits) };
}

/** At most 200 points of a curve. */
function thin(values: Float32Array): number[] {
  const stride = Math.max(1, Math.ceil(values.length / 200));
  return Array.from(values.filter((_, i) => i % stride === 0));
}
