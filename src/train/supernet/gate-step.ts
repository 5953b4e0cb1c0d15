/**
 * The architecture's half of one-shot training as a graph: forward, loss and the gradient of the loss
 * by every gate, on a batch of its own. Weights go in as the flat vectors of the weights' own step and
 * do not change.
 */
import { UsageError } from '../../errors.js';
import type { Graph } from '../../ir/graph.js';
import { shareCommonSubexpressions } from '../../ir/pass/common-subexpressions.js';
import { removeDeadNodes } from '../../ir/pass/dead-nodes.js';
import { runPasses } from '../../ir/pass/pass.js';
import { Rng } from '../../util/random.js';
import { appendGradients } from '../autodiff.js';
import { appendLoss } from '../loss/loss.js';
import type { ResolvedRecipe } from '../recipe.js';
import type { Kernels } from '../step.js';
import { appendRunning, appendTargetInputs, appendWeights, openStep } from '../step-inputs.js';
import { stepName } from '../step-names.js';
import { appendTrainingForm } from '../training-form.js';

export interface GateStep {
  readonly graph: Graph;
  /** Input [batch, …] for the images, and input [batch] for the class numbers. */
  readonly image: string;
  readonly labels: string;
  /** Flat vectors that it reads, by the names of the weights' step. */
  readonly vectors: readonly string[];
  /** Output [gates]: the gradient by each gate, in the order they were given. */
  readonly gradient: string;
  /** Scalar output. */
  readonly loss: string;
}

/**
 * Builds the step for a supernet.
 * @param gates scalar inputs of `graph`.
 * @throws UsageError if the graph cannot be trained.
 */
export function createGateStep(
  graph: Graph,
  gates: readonly string[],
  recipe: ResolvedRecipe,
  kernels: Kernels = 'native',
): GateStep {
  const { b, bound } = openStep(graph, recipe.batch, kernels);
  const target = appendTargetInputs(b, { ...recipe, mixup: 0 });
  const images = bound.inputs.filter(({ shape }) => shape?.length !== 0);
  if (target === undefined || images.length !== 1) {
    throw new UsageError(
      `supernet ${graph.name}: expected one input of images and class numbers to learn, ` +
        `received ${images.length} inputs and the loss ${recipe.loss}`,
    );
  }
  const groups = appendWeights(b, bound);
  const running = appendRunning(b, bound);
  const forward = appendTrainingForm(b, bound, new Rng(0));
  const prediction = (bound.outputs[0] as (typeof bound.outputs)[number]).name;
  // What is compared is the loss itself, not what weights are kept apart with.
  const loss = appendLoss(b, { ...recipe, labelSmoothing: 0 }, prediction, target.value);
  const wanted = gates.map(stepName);
  const nodes = [...forward.nodes, ...loss.nodes];
  const gradients = appendGradients(b, nodes, loss.seeds, wanted);
  const one = b.ints([1]);
  const parts = wanted.map((name) => {
    const gradient = gradients.get(name);
    return gradient === undefined
      ? b.tensor([1], [0])
      : b.op('Reshape', [gradient, one], {}, `d.${name}.flat`);
  });
  b.output(loss.loss, 'loss');
  b.output(b.op('Concat', parts, { axis: 0 }, 'd.gates'), 'gradient');
  return {
    graph: runPasses(b.build(), [shareCommonSubexpressions, removeDeadNodes]).graph,
    image: (images[0] as (typeof images)[number]).name,
    labels: target.value.name,
    vectors: [...groups, ...running].map(({ name }) => name),
    gradient: 'gradient',
    loss: 'loss',
  };
}
