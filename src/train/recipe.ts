/** How a network is trained: everything that decides the arithmetic of its steps, and nothing else. */
import { UsageError } from '../errors.js';

export type OptimizerName = 'sgd' | 'adamw';

/** What the caller gives; what is left out has the default of `recipeDefaults`. */
export interface Recipe {
  readonly optimizer?: OptimizerName;
  /** Highest learning rate, reached after the warm-up. */
  readonly learningRate?: number;
  /** SGD: share of the former update that is kept. */
  readonly momentum?: number;
  /** SGD: Nesterov's form of momentum. */
  readonly nesterov?: boolean;
  /** AdamW: decay of the running mean of gradients. */
  readonly beta1?: number;
  /** AdamW: decay of the running mean of squared gradients. */
  readonly beta2?: number;
  /** AdamW: added to the root of the running mean of squares. */
  readonly epsilon?: number;
  /**
   * For SGD added to the gradient, for AdamW applied to the weight itself. Only matrices and kernels
   * decay: biases, scales and norm parameters (rank 0 and 1) never do.
   */
  readonly weightDecay?: number;
  /** Share of the target spread evenly over all classes, 0 ≤ ε < 1. */
  readonly labelSmoothing?: number;
  /** Greatest norm of all gradients taken together; 0 leaves them as they are. */
  readonly clipNorm?: number;
  /** Share of the steps over which the learning rate rises to its peak, 0 ≤ f < 1. */
  readonly warmupFraction?: number;
  /** Images per step. */
  readonly batch?: number;
}

export type ResolvedRecipe = Required<Recipe>;

const shared = {
  momentum: 0.9,
  nesterov: false,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  labelSmoothing: 0,
  clipNorm: 1,
  warmupFraction: 0.1,
  batch: 64,
} as const;

/** Defaults by optimiser. */
export const recipeDefaults: Readonly<Record<OptimizerName, ResolvedRecipe>> = {
  sgd: { ...shared, optimizer: 'sgd', learningRate: 0.05, weightDecay: 5e-4 },
  adamw: { ...shared, optimizer: 'adamw', learningRate: 3e-3, weightDecay: 0.02 },
};

/** Lowest and highest value of each number; the highest is excluded where `open`. */
const bounds = {
  learningRate: { low: 0, high: Number.POSITIVE_INFINITY, open: true },
  momentum: { low: 0, high: 1, open: true },
  beta1: { low: 0, high: 1, open: true },
  beta2: { low: 0, high: 1, open: true },
  epsilon: { low: 0, high: 1, open: false },
  weightDecay: { low: 0, high: Number.POSITIVE_INFINITY, open: true },
  labelSmoothing: { low: 0, high: 1, open: true },
  clipNorm: { low: 0, high: Number.POSITIVE_INFINITY, open: true },
  warmupFraction: { low: 0, high: 1, open: true },
} as const;

/** The recipe with its defaults. Throws `UsageError` for a value out of range. */
export function resolveRecipe(recipe: Recipe = {}): ResolvedRecipe {
  const optimizer = recipe.optimizer ?? 'adamw';
  const defaults = recipeDefaults[optimizer];
  if (defaults === undefined) {
    throw new UsageError(`recipe.optimizer: expected sgd or adamw, received ${optimizer}`);
  }
  const resolved = { ...defaults, ...recipe };
  for (const key of Object.keys(bounds) as (keyof typeof bounds)[]) {
    const { low, high, open } = bounds[key];
    const value = resolved[key];
    if (!(value >= low && (open ? value < high : value <= high))) {
      const range =
        high === Number.POSITIVE_INFINITY
          ? `at least ${low}`
          : `in [${low}, ${high}${open ? ')' : ']'}`;
      throw new UsageError(`recipe.${key}: expected a finite number ${range}, received ${value}`);
    }
  }
  if (!Number.isSafeInteger(resolved.batch) || resolved.batch < 2) {
    throw new UsageError(
      `recipe.batch: expected a whole number from 2, received ${resolved.batch}`,
    );
  }
  return Object.freeze(resolved);
}
