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
  withDims,
  withGraph,
} from '../ir/graph.js';
import { elementCount, type HostTensor } from '../util/tensor.js';
import { appendGradients, requireKnown } from './autodiff.js';
import { appendCrossEntropy } from './loss.js';
import {
  appendClipping,
  createOptimizer,
  type NextState,
  type ParameterGroup,
} from './optimizer.js';
import type { ResolvedRecipe } from './recipe.js';
import { appendRunningUpdate, appendTrainingForm, trainedNorms } from './training-form.js';

/**
 * What a step is made of: our own kernels where they have the operator, which only our addon runs, or
 * ordinary ONNX operators, which any ONNX Runtime does.
 */
export type Kernels = 'native' | 'onnx';

/** Where one tensor of the deployment graph lies in a flat vector. */
export interface Slot {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
}

/** A flat vector that goes in as `name` and comes out as `next`. */
export interface StateVector extends NextState {
  readonly length: number;
  /** Tensors of the deployment graph in it; none for the optimiser's own state, which starts at 0. */
  readonly slots: readonly Slot[];
}

export interface TrainingStep {
  readonly graph: Graph;
  readonly batch: number;
  /** Image input, float32 [batch, …rowDims]. */
  readonly image: { readonly name: string; readonly rowDims: readonly number[] };
  /** Label input, int64 [batch]. */
  readonly label: string;
  readonly classes: number;
  /** Scalar outputs of each step: the mean loss of the batch, and how many it got right. */
  readonly record: readonly ['loss', 'correct'];
  readonly state: readonly StateVector[];
  /** Scalar inputs for steps with these learning rates, `first` being the number of the first step. */
  perStep(
    rates: Float32Array,
    first: number,
  ): readonly { readonly name: string; readonly values: Float32Array }[];
}

/**
 * Builds the step graph of a deployment graph with one image input [N, …] and one output, the logits
 * [N, classes]. Weights (role `weight`) are trained; constants stay.
 *
 * @throws UsageError if the graph has another form, or an operator without gradient.
 */
export function createTrainingStep(
  graph: Graph,
  recipe: ResolvedRecipe,
  kernels: Kernels = 'native',
): TrainingStep {
  const { batch } = recipe;
  requireKnown(graph.nodes);
  const bound = withPrefix(bindBatch(graph, batch));
  const image = bound.inputs[0] as (typeof bound.inputs)[number];
  const b = new GraphBuilder(`${graph.name}.step`, {
    opset: Math.max(DEFAULT_OPSET, graph.opsets[''] ?? 0),
    domains: kernels === 'native' ? { [NATIVE_DOMAIN]: 1 } : {},
  });
  b.input(image.name, image.dtype, image.shape ?? []);
  b.input('label', 'int64', [batch]);

  const groups = [
    { name: 'weights', decays: true },
    { name: 'weights.plain', decays: false },
  ].flatMap(({ name, decays }) => {
    const members = bound.initializers.filter(
      (i) => i.role === 'weight' && i.dims.length > 1 === decays,
    );
    return members.length === 0 ? [] : [{ name, decays, members, slots: slotsOf(members) }];
  });
  if (groups.length === 0)
    throw new UsageError(`graph ${graph.name}: expected weights to train, received none`);
  for (const { name, members } of groups) appendUnpacked(b, name, members);
  for (const initializer of bound.initializers) {
    if (initializer.role === 'constant') b.initializer(initializer);
  }
  appendFrozenStates(b, bound);
  const running = appendRunning(b, bound);

  const forward = appendTrainingForm(b, bound);
  const logits = (bound.outputs[0] as (typeof bound.outputs)[number]).name;
  const [rows, classes] = b.dimsOf(logits);
  if (rows !== batch || classes === undefined || b.dimsOf(logits).length !== 2) {
    throw new UsageError(
      `graph ${graph.name}: expected logits of [${batch}, classes], received [${b.dimsOf(logits)}]`,
    );
  }
  const loss = appendCrossEntropy(b, logits, 'label', recipe.labelSmoothing);
  const weights = groups.flatMap(({ members }) => members.map(({ name }) => name));
  const gradients = appendGradients(b, forward.nodes, new Map([[logits, loss.gradient]]), weights);

  const optimizer = createOptimizer(recipe);
  for (const name of optimizer.scalars) b.input(name, 'float32', []);
  let flat = groups.map(({ name, members }) => appendPacked(b, name, members, gradients));
  if (recipe.clipNorm > 0) flat = appendClipping(b, flat, recipe.clipNorm);
  b.output(loss.loss, 'loss');
  b.output(loss.correct, 'correct');
  const state: StateVector[] = [];
  groups.forEach(({ name, decays, slots }, i) => {
    const group: ParameterGroup = { name, decays, weights: name, gradient: flat[i] as string };
    const length = b.sizeOf(name);
    optimizer.append(b, recipe, group).forEach(({ name: vector, next }) => {
      const output = `${vector}.next`;
      b.output(next, output);
      state.push({ name: vector, next: output, length, slots: vector === name ? slots : [] });
    });
  });
  if (running.length > 0) {
    const updated = appendRunningUpdate(
      b,
      forward.statistics,
      running.map(({ name }) => name),
    );
    running.forEach((vector, k) => {
      const next = `${vector.name}.next`;
      b.output(updated[k] as string, next);
      state.push({ ...vector, next });
    });
  }
  return {
    graph: b.build({ ...graph.metadata }),
    batch,
    image: { name: image.name, rowDims: b.dimsOf(image.name).slice(1) },
    label: 'label',
    classes,
    record: ['loss', 'correct'],
    state,
    perStep: (rates, first) =>
      optimizer
        .scalarValues(rates, first)
        .map((values, i) => ({ name: optimizer.scalars[i] as string, values })),
  };
}

/** Values of the state vectors before the first step, from the data of the graph's initializers. */
export function packState(step: TrainingStep, graph: Graph): HostTensor[] {
  const known = new Map(graph.initializers.map((i) => [i.name, i]));
  return step.state.map(({ length, slots }) => {
    const data = new Float32Array(length);
    for (const { name, offset } of slots) {
      const values = known.get(name)?.data;
      if (values === undefined)
        throw new UsageError(`weight ${name}: expected data, received none`);
      data.set(values as Float32Array, offset);
    }
    return { dtype: 'float32', dims: [length], data };
  });
}

/** The tensors of the deployment graph in the state vectors, by name. */
export function unpackState(
  step: TrainingStep,
  values: readonly HostTensor[],
): Map<string, Float32Array> {
  return new Map(
    step.state.flatMap(({ slots }, i) => {
      const data = (values[i] as HostTensor).data as Float32Array;
      return slots.map(
        ({ name, offset, length }) => [name, data.slice(offset, offset + length)] as const,
      );
    }),
  );
}

/** The graph with its one symbolic batch dimension fixed. */
function bindBatch(graph: Graph, batch: number): Graph {
  const opset = graph.opsets[''] ?? 0;
  if (opset < 13) {
    throw new UsageError(
      `graph ${graph.name}: training expected operator set 13 or later, received ${opset}`,
    );
  }
  if (graph.inputs.length !== 1 || graph.outputs.length !== 1) {
    throw new UsageError(
      `graph ${graph.name}: training expected one input and one output, received ${graph.inputs.length} and ${graph.outputs.length}`,
    );
  }
  const rows = graph.inputs[0]?.shape?.[0];
  return typeof rows === 'string' ? withDims(graph, { [rows]: batch }) : graph;
}

/** Before the names of the deployment graph's values, to keep them apart from the step's own. */
const PREFIX = 'net/';

function withPrefix(graph: Graph): Graph {
  const prefixed = (name: string) => (name === '' ? '' : PREFIX + name);
  const named = <T extends { readonly name: string }>(value: T): T => ({
    ...value,
    name: prefixed(value.name),
  });
  return withGraph(graph, {
    inputs: graph.inputs.map(named),
    outputs: graph.outputs.map(named),
    initializers: graph.initializers.map(named),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(prefixed),
      outputs: node.outputs.map(prefixed),
    })),
  });
}

function slotsOf(members: readonly Initializer[]): Slot[] {
  let offset = 0;
  return members.map(({ name, dims }) => {
    const length = elementCount(dims);
    offset += length;
    return { name: name.slice(PREFIX.length), offset: offset - length, length };
  });
}

/** The input vector cut into tensors under their own names. */
function appendUnpacked(b: GraphBuilder, vector: string, members: readonly Initializer[]): void {
  const sizes = members.map(({ dims }) => elementCount(dims));
  b.input(vector, 'float32', [sizes.reduce((sum, size) => sum + size, 0)]);
  const plain = { domain: '', attributes: {} };
  const parts = members.map(({ name, dims }) => (dims.length === 1 ? name : `${name}.part`));
  b.append({
    ...plain,
    name: `${vector}.split`,
    op: 'Split',
    inputs: [vector, b.ints(sizes)],
    outputs: parts,
  });
  members.forEach(({ name, dims }, i) => {
    const part = parts[i] as string;
    if (part === name) return;
    const inputs = [part, b.ints(dims)];
    b.append({ ...plain, name: `${name}.reshape`, op: 'Reshape', inputs, outputs: [name] });
  });
}

/** Gradients of the members one after the other; zeros where the loss does not depend on one. */
function appendPacked(
  b: GraphBuilder,
  vector: string,
  members: readonly Initializer[],
  gradients: ReadonlyMap<string, string>,
): string {
  const parts = members.map(({ name, dims }) => {
    const size = elementCount(dims);
    const gradient = gradients.get(name);
    if (gradient === undefined) return b.op('Expand', [b.scalar(0), b.ints([size])]);
    return dims.length === 1
      ? gradient
      : b.op('Reshape', [gradient, b.ints([size])], {}, `d.${name}.flat`);
  });
  return b.op('Concat', parts, { axis: 0 }, `d.${vector}`);
}

/** Running statistics of frozen normalisations stay as they are. */
function appendFrozenStates(b: GraphBuilder, graph: Graph): void {
  const updated = new Set(trainedNorms(graph).flatMap((norm) => norm.inputs.slice(3)));
  for (const initializer of graph.initializers) {
    if (initializer.role === 'state' && !updated.has(initializer.name)) b.initializer(initializer);
  }
}

const runningKinds = ['mean', 'variance'] as const;

/** Flat inputs with the running statistics, cut into tensors under their own names. */
function appendRunning(b: GraphBuilder, graph: Graph): readonly Omit<StateVector, 'next'>[] {
  const norms = trainedNorms(graph);
  if (norms.length === 0) return [];
  return runningKinds.map((kind, k) => {
    const names = norms.map((norm) => norm.inputs[3 + k] as string);
    const members = names.map(
      (name) => graph.initializers.find((i) => i.name === name) as Initializer,
    );
    const name = `running.${kind}`;
    appendUnpacked(b, name, members);
    return { name, length: b.sizeOf(name), slots: slotsOf(members) };
  });
}
