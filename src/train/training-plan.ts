/** Everything that a training follows, settled before its first update. */
import { UsageError } from '../errors.js';
import type { Graph } from '../ir/graph.js';
import { encodeModel } from '../ir/onnx/encode.js';
import type { TaskContext } from '../runtime/runner-protocol.js';
import { Rng } from '../util/random.js';
import { type Fingerprint, hashOf } from './checkpoint.js';
import { packState } from './flat-state.js';
import { drawWeights } from './initialize.js';
import type { LossSpec } from './loss/loss.js';
import { type Recipe, type ResolvedRecipe, resolveRecipe } from './recipe.js';
import { createSchedule } from './schedule.js';
import { fitToRows, rowsOf, type SharedData, type SharedRows } from './shared-rows.js';
import { createTrainingStep, type TargetType, type TrainingStep } from './step.js';
import { drawOrder } from './training-loop.js';

export interface TrainArgs {
  /** Deployment graph. Weights without data are drawn from the seed, others are trained on. */
  readonly graph: Graph;
  readonly recipe: Recipe;
  readonly data: SharedData;
  /** Length of the training: of whole and partial epochs, at least one update. */
  readonly epochs: number;
  readonly seed: number | string;
  readonly threads: number;
  /** Most bytes of activations by plan, see `StepOptions`. */
  readonly memoryLimitBytes?: number;
  /** The loss of recipes with `loss: custom`: inputs `prediction` and `target`, a scalar output. */
  readonly lossGraph?: Graph;
  readonly evaluation?: EvaluationPlan;
  readonly checkpoint?: CheckpointPlan;
}

/** Scoring during the training. */
export interface EvaluationPlan {
  readonly data: SharedData;
  readonly everyEpochs: number;
  /**
   * End after this many evaluations without a lower loss; the result has the weights of the lowest
   * one then, whether it ended early or not.
   */
  readonly patience?: number;
}

/** Sending of checkpoints by `context.progress`, as `TrainCheckpoint`. */
export interface CheckpointPlan {
  readonly everyEpochs: number;
  /** A checkpoint to go on from. */
  readonly resume?: Uint8Array;
}

export interface TrainingPlan {
  readonly recipe: ResolvedRecipe;
  /** With data for all weights and the dims of the rows in its inputs. */
  readonly graph: Graph;
  readonly step: TrainingStep;
  readonly rows: SharedRows;
  readonly loss: LossSpec;
  /** Updates. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly rates: Float32Array;
  readonly order: Uint32Array;
  /** Seed of the augmentation. */
  readonly seed: number;
  readonly threads: number;
  readonly evaluation?: EvaluationPlan;
  /** Updates between evaluations, and between checkpoints; infinite for none. */
  readonly evaluateEvery: number;
  readonly saveEvery: number;
  readonly patience: number;
  readonly keepsBest: boolean;
  /** Empty where no checkpoints are asked for. */
  readonly fingerprint: Fingerprint;
}

/** Updates between two reports. */
const CHUNK_STEPS = 100;

/** Throws `UsageError` for element types that the CPU, where training runs, cannot train in. */
export function requirePrecision({ precision = 'float32' }: Recipe): void {
  if (precision === 'float32') return;
  throw new UsageError(
    'recipe.precision: expected float32 on the CPU, which has no kernels to train in 16 bits, ' +
      `received ${precision}`,
  );
}

/** Throws `UsageError` for a graph or data that cannot be trained. */
export function preparePlan(args: TrainArgs, context: TaskContext): TrainingPlan {
  const { epochs, threads, evaluation, checkpoint, lossGraph, memoryLimitBytes } = args;
  const recipe = resolveRecipe(args.recipe);
  requirePrecision(recipe);
  const rng = new Rng(args.seed);
  const rows = rowsOf(args.data, args.graph);
  const graph = fitToRows(drawWeights(args.graph, rng.fork('weights')), rows);
  const perUpdate = recipe.batch * recipe.accumulate;
  if (rows.count < perUpdate) {
    throw new UsageError(
      `data: expected at least one update of ${perUpdate} rows, received ${rows.count}`,
    );
  }
  const target = rows.target as TargetType | undefined;
  const step = createTrainingStep(graph, recipe, 'native', {
    seed: rng.fork('draws').uint32(),
    ...(target && { target: { dtype: target.dtype, rowDims: target.rowDims } }),
    ...(lossGraph && { lossGraph }),
    ...(memoryLimitBytes !== undefined && { memoryLimitBytes }),
  });
  checkClasses(step, rows, context);
  const stepsPerEpoch = Math.floor(rows.count / perUpdate);
  const steps = Math.max(1, Math.round(epochs * stepsPerEpoch));
  const rates = createSchedule(steps, stepsPerEpoch, recipe);
  const updates = (share: number | undefined): number =>
    share === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(share * stepsPerEpoch));
  return {
    recipe,
    graph,
    step,
    rows,
    loss: { ...recipe, ...(lossGraph && { graph: lossGraph }) },
    steps,
    stepsPerEpoch,
    rates,
    order: drawOrder(rng.fork('order'), rows.count, perUpdate, steps),
    seed: rng.fork('augment').uint32(),
    threads,
    ...(evaluation && { evaluation }),
    evaluateEvery: updates(evaluation?.everyEpochs),
    saveEvery: updates(checkpoint?.everyEpochs),
    patience: evaluation?.patience ?? Number.POSITIVE_INFINITY,
    keepsBest: evaluation?.patience !== undefined,
    fingerprint:
      checkpoint === undefined ? {} : fingerprintOf(args, recipe, graph, step, rows, context),
  };
}

/** Whether something that is done every `every` updates, and at the end, is due after `done`. */
export function isDue({ steps }: TrainingPlan, done: number, every: number): boolean {
  return Number.isFinite(every) && (done % every === 0 || done === steps);
}

/** The update after `done` before which something is due: an evaluation, a checkpoint, a report. */
export function nextStop(plan: TrainingPlan, done: number): number {
  // The first update stands alone: its loss says what an explosion is.
  if (done === 0) return 1;
  const next = (every: number) => (Math.floor(done / every) + 1) * every;
  const intervals = [CHUNK_STEPS, plan.evaluateEvery, plan.saveEvery].filter(Number.isFinite);
  return Math.min(plan.steps, ...intervals.map(next));
}

function checkClasses(step: TrainingStep, { target, count }: SharedRows, context: TaskContext) {
  if (step.classes === undefined || target === undefined) return;
  const labels = context.shared(target.array);
  for (let i = 0; i < labels.length; i++) {
    const label = Number(labels[i]);
    if (label >= 0 && label < step.classes) continue;
    const row = Math.floor(i / (labels.length / count));
    throw new UsageError(
      `data: expected class numbers from 0 to ${step.classes - 1}, as the model has ` +
        `${step.classes} classes, received ${label} in row ${row} (counted from 0)`,
    );
  }
}

function fingerprintOf(
  { seed, epochs, lossGraph, evaluation }: TrainArgs,
  recipe: ResolvedRecipe,
  graph: Graph,
  step: TrainingStep,
  rows: SharedRows,
  context: TaskContext,
): Fingerprint {
  const columns = [...rows.inputs, ...(rows.target ? [rows.target] : [])];
  const { everyEpochs, patience } = evaluation ?? {};
  return {
    model: hashOf(encodeModel(step.graph), ...packState(step, graph).map(({ data }) => data)),
    data: hashOf(...columns.map(({ array }) => context.shared(array))),
    recipe: hashOf(JSON.stringify(recipe), ...(lossGraph ? [encodeModel(lossGraph)] : [])),
    seed: hashOf(String(seed)),
    epochs: hashOf(String(epochs)),
    evaluation: hashOf(JSON.stringify({ everyEpochs, patience })),
  };
}
