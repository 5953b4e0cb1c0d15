/**
 * One whole training step as one graph: forward, loss, backward and optimiser update. What changes
 * from step to step goes in under one name and comes out under another, as a few flat vectors:
 * parameters that decay and parameters that do not, the optimiser's state for each, the running mean
 * and the running variance.
 */
import type { GraphBuilder } from '../ir/builder.js';
import type { Graph } from '../ir/graph.js';
import { shareCommonSubexpressions } from '../ir/pass/common-subexpressions.js';
import { removeDeadNodes } from '../ir/pass/dead-nodes.js';
import { runPasses } from '../ir/pass/pass.js';
import type { SessionOptions } from '../runtime/binding-types.js';
import { Rng } from '../util/random.js';
import type { ElementType } from '../util/tensor.js';
import { appendGradients } from './autodiff.js';
import { appendPieces, type StateVector, slotsOf } from './flat-state.js';
import { mayOverwrite } from './in-place.js';
import { type AppendedLoss, appendLoss } from './loss/loss.js';
import type { ResolvedRecipe } from './recipe.js';
import { recomputeWithin } from './recompute.js';
import {
  appendRunning,
  appendTargetInputs,
  appendWeights,
  MIXED,
  openStep,
} from './step-inputs.js';
import { ownName } from './step-names.js';
import { appendRunningUpdate, appendTrainingForm } from './training-form.js';
import { appendAverages, appendUpdates, declare, type PerStep, scalarsOf } from './update.js';

/**
 * What a step is made of: our own kernels where they have the operator, which only our addon runs, or
 * ordinary ONNX operators, which any ONNX Runtime does.
 */
export type Kernels = 'native' | 'onnx';

/** How a step graph is loaded: steps hold much memory, so none for a plan of it. */
export const trainingSession = {
  optimization: 'all',
  provider: 'cpu',
  memoryPattern: false,
} as const satisfies Omit<SessionOptions, 'threads'>;

/** What the rows of the data hold beside the model's inputs. */
export interface TargetType {
  /** int64: class numbers. */
  readonly dtype: 'float32' | 'int64';
  /** Without the batch. */
  readonly rowDims: readonly number[];
}

export interface StepOptions {
  /** Default: one class number per row. Not looked at where the model's output is the loss. */
  readonly target?: TargetType;
  /**
   * Most bytes of activations that a step may hold by plan; some are computed twice where it would
   * hold more. Default: no limit.
   */
  readonly memoryLimitBytes?: number;
  /** The loss of recipes with `loss: custom`. */
  readonly lossGraph?: Graph;
  /** Where dropout and other draws of the model begin (default 0). */
  readonly seed?: number | string;
}

/** An input that gets a batch of rows, [batch, …rowDims]. */
export interface RowInput {
  readonly name: string;
  /** Input of the deployment graph that it stands for; absent for targets. */
  readonly source?: string;
  readonly dtype: ElementType;
  readonly rowDims: readonly number[];
}

export interface TrainingStep {
  readonly graph: Graph;
  readonly batch: number;
  /** The model's inputs that get rows, in its order. */
  readonly inputs: readonly RowInput[];
  /** Its inputs of rank 0, which get one number a run from whoever runs the step. */
  readonly scalars: readonly { readonly name: string; readonly source: string }[];
  /** Absent where the model's output is the loss. */
  readonly target?: RowInput;
  /** Mixup: input for the targets of the rows mixed in, and scalar input for the share of the first. */
  readonly mixed?: { readonly labels: string; readonly share: string };
  /** Scalar outputs of each run: the mean loss of the batch, and how many decisions were right. */
  readonly record: readonly string[];
  /** Decisions of a batch; 0 where targets are no decisions and `correct` is not recorded. */
  readonly decisions: number;
  /** Classes, where the targets are class numbers. */
  readonly classes?: number;
  /** Loss of one who guesses evenly, where it is known. */
  readonly chance?: number;
  readonly state: readonly StateVector[];
  /** Runs of the graph that make one update. */
  readonly runs: number;
  /**
   * Scalar inputs for updates with these learning rates, `first` being the number of the first one:
   * `runs` values for each.
   */
  perStep(rates: Float32Array, first: number): readonly PerStep[];
}

/**
 * Builds the step graph of a deployment graph with one output: the prediction, or the loss itself.
 * Weights (role `weight`) are trained; constants stay.
 *
 * @throws UsageError if the graph has another form, or an operator without gradient.
 */
export function createTrainingStep(
  graph: Graph,
  recipe: ResolvedRecipe,
  kernels: Kernels = 'native',
  options: StepOptions = {},
): TrainingStep {
  const { batch } = recipe;
  const { b, bound } = openStep(graph, batch, kernels);
  const target = appendTargetInputs(b, recipe, options.target);
  const groups = appendWeights(b, bound);
  const running = appendRunning(b, bound);

  const forward = appendTrainingForm(b, bound, new Rng(options.seed ?? 0));
  const prediction = (bound.outputs[0] as (typeof bound.outputs)[number]).name;
  const spec = { ...recipe, ...(options.lossGraph && { graph: options.lossGraph }) };
  const loss = appendLoss(b, spec, prediction, target?.value);
  const weights = groups.flatMap(({ members }) => members.map(({ name }) => name));
  const nodes = [...forward.nodes, ...loss.nodes];
  const gradients = appendGradients(b, nodes, loss.seeds, weights);
  const record = appendRecord(b, loss);

  const updated = appendUpdates(
    b,
    recipe,
    groups.map(({ name, decays, members }) => ({
      name,
      decays,
      slots: slotsOf(members),
      gradients: appendPieces(b, members, gradients),
    })),
  );
  if (running.length > 0) {
    const names = running.map(({ name }) => name);
    const next = appendRunningUpdate(b, forward.statistics, names);
    running.forEach((vector, k) => {
      updated.push(declare(b, { ...vector, next: next[k] as string }));
    });
  }
  const vectors = appendAverages(b, recipe, updated);
  const { memoryLimitBytes } = options;
  const whole = tidied(b.build({ ...graph.metadata }));
  const step =
    memoryLimitBytes === undefined ? whole : recomputeWithin(whole, memoryLimitBytes, 'loss');
  const state = vectors.map((vector) => ({
    ...vector,
    inPlace: mayOverwrite(step, vector.name, vector.next),
  }));
  return {
    graph: step,
    batch,
    inputs: bound.inputs.flatMap(({ name }) =>
      isScalar(b, name) ? [] : [rowInput(b, name, ownName(name))],
    ),
    scalars: bound.inputs.flatMap(({ name }) =>
      isScalar(b, name) ? [{ name, source: ownName(name) }] : [],
    ),
    ...(target && { target: rowInput(b, target.value.name) }),
    ...(target?.value.mixed && { mixed: MIXED }),
    record,
    decisions: loss.decisions,
    ...(loss.classes !== undefined && { classes: loss.classes }),
    ...(loss.chance !== undefined && { chance: loss.chance }),
    state,
    runs: recipe.accumulate,
    perStep: (rates, first) => [
      ...scalarsOf(recipe, rates, first),
      ...(forward.run === undefined
        ? []
        : [runNumbers(forward.run, first * recipe.accumulate, rates.length * recipe.accumulate)]),
    ],
  };
}

/** `first`, `first` + 1, … */
function runNumbers(name: string, first: number, length: number): PerStep {
  return { name, values: Float32Array.from({ length }, (_, i) => first + i) };
}

/** Without what rules computed twice or in vain. */
function tidied(graph: Graph): Graph {
  return runPasses(graph, [shareCommonSubexpressions, removeDeadNodes]).graph;
}

function appendRecord(b: GraphBuilder, { loss, correct }: AppendedLoss): readonly string[] {
  b.output(loss, 'loss');
  if (correct === undefined) return ['loss'];
  b.output(correct, 'correct');
  return ['loss', 'correct'];
}

function isScalar(b: GraphBuilder, name: string): boolean {
  return b.dimsOf(name).length === 0;
}

function rowInput(b: GraphBuilder, name: string, source?: string): RowInput {
  const { dtype } = b.typeOf(name);
  return { name, dtype, rowDims: b.dimsOf(name).slice(1), ...(source && { source }) };
}
