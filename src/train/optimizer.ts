/**
 * Optimisers as PyTorch defines them, on flat vectors: all parameters of a group lie one after the
 * other, so that an update is a handful of nodes however many layers there are.
 */
import type { GraphBuilder } from '../ir/builder.js';
import { NATIVE_DOMAIN } from '../ir/graph.js';
import type { ResolvedRecipe } from './recipe.js';

/** Parameters that are updated alike. */
export interface ParameterGroup {
  readonly name: string;
  /** [P] */
  readonly weights: string;
  /** In pieces one after the other, P elements in all; one [P] for an optimiser of ONNX operators. */
  readonly gradients: readonly string[];
  /** Scalar that the gradient is still to be multiplied with. */
  readonly factor: string | undefined;
  /** Whether to use the optimiser's own kernel. */
  readonly isNative: boolean;
  /** Whether weight decay applies. */
  readonly decays: boolean;
}

/** A vector that one step reads under `name` and writes under `next`. */
export interface NextState {
  readonly name: string;
  readonly next: string;
}

export interface Optimizer {
  /** Whether `kernels/cpu` has it. */
  readonly hasKernel: boolean;
  /** Scalar float32 inputs that it reads, one value per step. */
  readonly scalars: readonly string[];
  /** Values of the scalars for `rates.length` steps, the first of which is step `first` (from 0). */
  scalarValues(rates: Float32Array, first: number): readonly Float32Array[];
  /** Appends the update; the first state is the weights, the others start at zero. */
  append(b: GraphBuilder, group: ParameterGroup): readonly NextState[];
}

/**
 * g ← g + λw; v ← μv + g; w ← w − η·v, or w − η·(g + μv) in Nesterov's form.
 * (torch.optim.SGD, dampening 0)
 */
const sgd = ({ momentum, weightDecay, nesterov }: ResolvedRecipe): Optimizer => ({
  // Without momentum there is little to save.
  hasKernel: momentum > 0,
  scalars: ['learning_rate'],
  scalarValues: (rates) => [rates],
  append(b, group) {
    const { name, weights, decays } = group;
    const vector = () => b.input(`${name}.velocity`, 'float32', b.shapeOf(weights));
    if (group.isNative) {
      const velocity = vector();
      const scalars = [group.factor ?? b.scalar(1), 'learning_rate'];
      const inputs = [weights, velocity, ...scalars, ...group.gradients];
      const decay = decays ? weightDecay : 0;
      const attributes = { decay, momentum, nesterov: nesterov ? 1 : 0 };
      return states([weights, velocity], b.ops('SgdUpdate', inputs, attributes, 2));
    }
    const clipped = clippedGradient(b, group);
    const g = decays ? addScaled(b, clipped, weights, weightDecay) : clipped;
    if (momentum === 0) return [{ name: weights, next: step(b, weights, g) }];
    const velocity = vector();
    const next = addScaled(b, g, velocity, momentum);
    const update = nesterov ? addScaled(b, g, next, momentum) : next;
    return [
      { name: weights, next: step(b, weights, update) },
      { name: velocity, next },
    ];
  },
});

/** The gradient of an optimiser of ONNX operators. */
function clippedGradient(b: GraphBuilder, { gradients, factor }: ParameterGroup): string {
  const gradient = gradients[0] as string;
  return factor === undefined ? gradient : b.op('Mul', [gradient, factor], {}, 'clip.gradient');
}

function states(names: readonly string[], next: readonly string[]): NextState[] {
  return names.map((name, i) => ({ name, next: next[i] as string }));
}

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
    hasKernel: true,
    scalars: ['decay_factor', 'step_size', 'root_correction'],
    scalarValues: (rates, first) => [
      perStep(rates, (rate) => 1 - rate * weightDecay),
      perStep(rates, (rate, i) => rate / (1 - beta1 ** (first + i + 1))),
      perStep(rates, (_, i) => 1 / Math.sqrt(1 - beta2 ** (first + i + 1))),
    ],
    append(b, group) {
      const { name, weights, decays } = group;
      const shape = b.shapeOf(weights);
      const mean = b.input(`${name}.mean`, 'float32', shape);
      const square = b.input(`${name}.square`, 'float32', shape);
      if (group.isNative) {
        const keep = decays && weightDecay > 0 ? 'decay_factor' : b.scalar(1);
        const scalars = [group.factor ?? b.scalar(1), keep, 'step_size', 'root_correction'];
        const inputs = [weights, mean, square, ...scalars, ...group.gradients];
        const next = b.ops('AdamwUpdate', inputs, { beta1, beta2, epsilon }, 3);
        return states([weights, mean, square], next);
      }
      const gradient = clippedGradient(b, group);
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
  return recipe.optimizer === 'sgd' ? sgd(recipe) : adamw(recipe);
}

/**
 * What gradients are to be multiplied with so that their norm, all together, is at most `clipNorm`
 * (torch.nn.utils.clip_grad_norm_: min(1, clipNorm / (norm + 1e-6))).
 */
export function appendClipFactor(
  b: GraphBuilder,
  gradients: readonly string[],
  clipNorm: number,
): string {
  const squareOf = (g: string) =>
    b.op('ReduceSum', [b.op('Mul', [g, g])], { keepdims: 0 }, 'clip.square');
  const square = b.imports(NATIVE_DOMAIN)
    ? b.op('SumOfSquares', gradients, {}, 'clip.square')
    : b.op('Sum', gradients.map(squareOf), {}, 'clip.sum');
  const norm = b.op('Sqrt', [square], {}, 'clip.norm');
  const room = b.op('Div', [b.scalar(clipNorm), b.op('Add', [norm, b.scalar(1e-6)])]);
  return b.op('Min', [room, b.scalar(1)], {}, 'clip.factor');
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
