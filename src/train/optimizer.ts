/**
 * Optimisers as PyTorch defines them, on flat vectors: all parameters of a group lie one after the
 * other, so that an update is a handful of nodes however many layers there are.
 */
import type { GraphBuilder } from '../ir/builder.js';
import type { ResolvedRecipe } from './recipe.js';

/** Parameters that are updated alike. */
export interface ParameterGroup {
  readonly name: string;
  /** [P] */
  readonly weights: string;
  /** [P] */
  readonly gradient: string;
  /** Whether weight decay applies. */
  readonly decays: boolean;
}

/** A vector that one step reads under `name` and writes under `next`. */
export interface NextState {
  readonly name: string;
  readonly next: string;
}

export interface Optimizer {
  /** Scalar float32 inputs that it reads, one value per step. */
  readonly scalars: readonly string[];
  /** Values of the scalars for `rates.length` steps, the first of which is step `first` (from 0). */
  scalarValues(rates: Float32Array, first: number): readonly Float32Array[];
  /** Appends the update; the first state is the weights, the others start at zero. */
  append(b: GraphBuilder, recipe: ResolvedRecipe, group: ParameterGroup): readonly NextState[];
}

/**
 * g ← g + λw; v ← μv + g; w ← w − η·v, or w − η·(g + μv) in Nesterov's form.
 * (torch.optim.SGD, dampening 0)
 */
const sgd: Optimizer = {
  scalars: ['learning_rate'],
  scalarValues: (rates) => [rates],
  append(b, recipe, { name, weights, gradient, decays }) {
    const { momentum, weightDecay, nesterov } = recipe;
    const g = decays ? addScaled(b, gradient, weights, weightDecay) : gradient;
    if (momentum === 0) return [{ name: weights, next: step(b, weights, g) }];
    const velocity = b.input(`${name}.velocity`, 'float32', b.shapeOf(weights));
    const next = addScaled(b, g, velocity, momentum);
    const update = nesterov ? addScaled(b, g, next, momentum) : next;
    return [
      { name: weights, next: step(b, weights, update) },
      { name: velocity, next },
    ];
  },
};

function step(b: GraphBuilder, weights: string, update: string): string {
  return b.op('Sub', [weights, b.op('Mul', [update, 'learning_rate'])]);
}

/**
 * w ← w·(1 − ηλ); m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²;
 * w ← w − η/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε). (torch.optim.AdamW; arXiv 1711.05101)
 * What depends on t alone comes in as scalars.
 */
function adamw(recipe: ResolvedRecipe): Optimizer {
  const { beta1, beta2, epsilon, weightDecay } = recipe;
  const perStep = (rates: Float32Array, value: (rate: number, i: number) => number) =>
    Float32Array.from(rates, value);
  return {
    scalars: ['decay_factor', 'step_size', 'root_correction'],
    scalarValues: (rates, first) => [
      perStep(rates, (rate) => 1 - rate * weightDecay),
      perStep(rates, (rate, i) => rate / (1 - beta1 ** (first + i + 1))),
      perStep(rates, (_, i) => 1 / Math.sqrt(1 - beta2 ** (first + i + 1))),
    ],
    append(b, _, { name, weights, gradient, decays }) {
      const shape = b.shapeOf(weights);
      const mean = b.input(`${name}.mean`, 'float32', shape);
      const square = b.input(`${name}.square`, 'float32', shape);
      const nextMean = average(b, mean, gradient, beta1);
      const nextSquare = average(b, square, b.op('Mul', [gradient, gradient]), beta2);
      const root = b.op('Mul', [b.op('Sqrt', [nextSquare]), 'root_correction']);
      const ratio = b.op('Div', [nextMean, b.op('Add', [root, b.scalar(epsilon)])]);
      const shrunk = decays && weightDecay > 0 ? b.op('Mul', [weights, 'decay_factor']) : weights;
      const next = b.op('Sub', [shrunk, b.op('Mul', [ratio, 'step_size'])]);
      return [
        { name: weights, next },
        { name: mean, next: nextMean },
        { name: square, next: nextSquare },
      ];
    },
  };
}

/** The optimiser that a recipe names. */
export function createOptimizer(recipe: ResolvedRecipe): Optimizer {
  return recipe.optimizer === 'sgd' ? sgd : adamw(recipe);
}

/**
 * The gradients scaled down so that their norm, all together, is at most `clipNorm`
 * (torch.nn.utils.clip_grad_norm_: factor min(1, clipNorm / (norm + 1e-6))).
 */
export function appendClipping(
  b: GraphBuilder,
  gradients: readonly string[],
  clipNorm: number,
): string[] {
  const squares = gradients.map((g) =>
    b.op('ReduceSum', [b.op('Mul', [g, g])], { keepdims: 0 }, 'clip.square'),
  );
  const norm = b.op('Sqrt', [b.op('Sum', squares, {}, 'clip.sum')], {}, 'clip.norm');
  const room = b.op('Div', [b.scalar(clipNorm), b.op('Add', [norm, b.scalar(1e-6)])]);
  const factor = b.op('Min', [room, b.scalar(1)], {}, 'clip.factor');
  return gradients.map((g) => b.op('Mul', [g, factor], {}, 'clip.gradient'));
}

/** a + factor·b */
function addScaled(b: GraphBuilder, a: string, other: string, factor: number): string {
  return factor === 0 ? a : b.op('Add', [a, b.op('Mul', [other, b.scalar(factor)])]);
}

/** keep·old + (1−keep)·fresh */
function average(b: GraphBuilder, old: string, fresh: string, keep: number): string {
  const kept = b.op('Mul', [old, b.scalar(keep)]);
  return b.op('Add', [kept, b.op('Mul', [fresh, b.scalar(1 - keep)])]);
}
