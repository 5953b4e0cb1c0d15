/**
 * One whole training step as one graph: forward, loss, backward and optimiser update. What changes
 * from step to step goes in under one name and comes out under another, as a few flat vectors:
 * parameters that decay and parameters that do not, the optimiser's state for each, the running mean
 * and the running variance.
 */
import { UsageError } from '../errors.js';
import { GraphBuilder } from '../ir/builder.js';
import {
  DEFAULT_OPSET,
  type Graph,
  type Initializer,
  NATIVE_DOMAIN,
  NEWEST_RUNNABLE_OPSET,
  withDims,
} from '../ir/graph.js';
import { shareCommonSubexpressions } from '../ir/pass/common-subexpressions.js';
import { removeDeadNodes } from '../ir/pass/dead-nodes.js';
import { runPasses } from '../ir/pass/pass.js';
import type { SessionOptions } from '../runtime/binding-types.js';
import { Rng } from '../util/random.js';
import type { ElementType } from '../util/tensor.js';
import { appendGradients, requireKnown } from './autodiff.js';
import { appendPieces, appendUnpacked, type StateVector, slotsOf } from './flat-state.js';
import { mayOverwrite } from './in-place.js';
import type { Target } from './loss/class-target.js';
import { type AppendedLoss, appendLoss } from './loss/loss.js';
import { fuseForTraining } from './native-fusion.js';
import type { ResolvedRecipe } from './recipe.js';
import { recomputeWithin } from './recompute.js';
import { ownName, withStepNames } from './step-names.js';
import { appendRunningUpdate, appendTrainingForm, trainedNorms } from './training-form.js';
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
  /** The model's inputs, in its order. */
  readonly inputs: readonly RowInput[];
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

const TARGET = 'label';
const MIXED = { labels: 'label.other', share: 'mixup.share' };

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
  requireKnown(graph.nodes);
  const named = withStepNames(bindBatch(graph, batch));
  const bound = kernels === 'native' ? fuseForTraining(named) : named;
  const b = new GraphBuilder(`${graph.name}.step`, {
    opset: Math.min(NEWEST_RUNNABLE_OPSET, Math.max(DEFAULT_OPSET, graph.opsets[''] ?? 0)),
    domains: kernels === 'native' ? { [NATIVE_DOMAIN]: 1 } : {},
  });
  for (const { name, dtype, shape } of bound.inputs) b.input(name, dtype, shape ?? []);
  const target = appendTargetInputs(b, recipe, options);
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
    inputs: bound.inputs.map(({ name }) => rowInput(b, name, ownName(name))),
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

/** The graph with its one symbolic batch dimension fixed. */
function bindBatch(graph: Graph, batch: number): Graph {
  const opset = graph.opsets[''] ?? 0;
  if (opset < 13) {
    throw new UsageError(
      `graph ${graph.name}: training expected operator set 13 or later, received ${opset}`,
    );
  }
  if (graph.inputs.length === 0 || graph.outputs.length !== 1) {
    throw new UsageError(
      `graph ${graph.name}: training expected inputs and one output, received ` +
        `${graph.inputs.length} and ${graph.outputs.length}`,
    );
  }
  const dims = new Set(graph.inputs.map(({ shape }) => shape?.[0]));
  const symbols = [...dims].filter((dim) => typeof dim === 'string');
  return withDims(graph, Object.fromEntries(symbols.map((symbol) => [symbol, batch])));
}

function appendTargetInputs(
  b: GraphBuilder,
  { loss, batch, mixup }: ResolvedRecipe,
  { target = { dtype: 'int64', rowDims: [] } }: StepOptions,
): { readonly value: Target } | undefined {
  if (loss === 'output') {
    if (mixup === 0) return undefined;
    throw new UsageError('recipe.mixup: expected 0 where the model computes its own loss');
  }
  const dims = [batch, ...target.rowDims];
  b.input(TARGET, target.dtype, dims);
  if (mixup === 0) return { value: { name: TARGET } };
  b.input(MIXED.labels, target.dtype, dims);
  b.input(MIXED.share, 'float32', []);
  return { value: { name: TARGET, mixed: MIXED } };
}

/** All initializers but the running statistics that change: weights out of flat vectors. */
function appendWeights(b: GraphBuilder, graph: Graph) {
  const groups = [
    { name: 'weights', decays: true },
    { name: 'weights.plain', decays: false },
  ].flatMap(({ name, decays }) => {
    const members = graph.initializers.filter(
      (i) => i.role === 'weight' && i.dims.length > 1 === decays,
    );
    return members.length === 0 ? [] : [{ name, decays, members }];
  });
  if (groups.length === 0) {
    throw new UsageError(`graph ${graph.name}: expected weights to train, received none`);
  }
  for (const { name, members } of groups) {
    for (const { name: weight, dtype } of members) {
      if (dtype === 'float32') continue;
      throw new UsageError(
        `weight ${ownName(weight)}: expected float32 to train, received ${dtype}`,
      );
    }
    appendUnpacked(b, name, members);
  }
  const updated = new Set(trainedNorms(graph).flatMap((norm) => norm.inputs.slice(3)));
  for (const initializer of graph.initializers) {
    // Running statistics of frozen normalisations stay as they are.
    const stays = initializer.role === 'state' && !updated.has(initializer.name);
    if (initializer.role === 'constant' || stays) b.initializer(initializer);
  }
  return groups;
}

const runningKinds = ['mean', 'variance'] as const;

/** Flat inputs with the running statistics, cut into tensors under their own names. */
function appendRunning(b: GraphBuilder, graph: Graph) {
  const norms = trainedNorms(graph);
  if (norms.length === 0) return [];
  return runningKinds.map((kind, k) => {
    const names = norms.map((norm) => norm.inputs[3 + k] as string);
    const members = names.map(
      (name) => graph.initializers.find((i) => i.name === name) as Initializer,
    );
    const name = `running.${kind}`;
    appendUnpacked(b, name, members);
    return { name, slots: slotsOf(members) };
  });
}

function appendRecord(b: GraphBuilder, { loss, correct }: AppendedLoss): readonly string[] {
  b.output(loss, 'loss');
  if (correct === undefined) return ['loss'];
  b.output(correct, 'correct');
  return ['loss', 'correct'];
}

function rowInput(b: GraphBuilder, name: string, source?: string): RowInput {
  const { dtype } = b.typeOf(name);
  return { name, dtype, rowDims: b.dimsOf(name).slice(1), ...(source && { source }) };
}
