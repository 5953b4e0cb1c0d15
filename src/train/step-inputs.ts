/** What a step graph begins with: the model under the step's names, targets, weights as flat vectors. */
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
import { requireKnown } from './autodiff.js';
import { appendUnpacked, slotsOf } from './flat-state.js';
import type { Target } from './loss/class-target.js';
import { fuseForTraining } from './native-fusion.js';
import type { ResolvedRecipe } from './recipe.js';
import type { Kernels, TargetType } from './step.js';
import { ownName, withStepNames } from './step-names.js';
import { trainedNorms } from './training-form.js';

const TARGET = 'label';
export const MIXED = { labels: 'label.other', share: 'mixup.share' };

/**
 * A builder with the inputs of `graph`, and the graph itself as steps have it: names of the step's
 * own, a fixed batch, fused for our kernels. Throws `UsageError` for a graph that cannot be trained.
 */
export function openStep(
  graph: Graph,
  batch: number,
  kernels: Kernels,
): { readonly b: GraphBuilder; readonly bound: Graph } {
  requireKnown(graph.nodes);
  const named = withStepNames(bindBatch(graph, batch));
  const bound = kernels === 'native' ? fuseForTraining(named) : named;
  const b = new GraphBuilder(`${graph.name}.step`, {
    opset: Math.min(NEWEST_RUNNABLE_OPSET, Math.max(DEFAULT_OPSET, graph.opsets[''] ?? 0)),
    domains: kernels === 'native' ? { [NATIVE_DOMAIN]: 1 } : {},
  });
  for (const { name, dtype, shape } of bound.inputs) b.input(name, dtype, shape ?? []);
  return { b, bound };
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

/** Inputs for the targets of a batch; none where the model's output is the loss. */
export function appendTargetInputs(
  b: GraphBuilder,
  { loss, batch, mixup }: ResolvedRecipe,
  target: TargetType = { dtype: 'int64', rowDims: [] },
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
export function appendWeights(b: GraphBuilder, graph: Graph) {
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
export function appendRunning(b: GraphBuilder, graph: Graph) {
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
