/** How a network is trained: everything that decides the arithmetic of its steps, and nothing else. */
import { UsageError } from '../errors.js';
import { type LossName, lossNames } from './loss/loss.js';
import { type ScheduleName, scheduleNames } from './schedule.js';

export const optimizerNames = ['sgd', 'adamw'] as const;
export type OptimizerName = (typeof optimizerNames)[number];
export const precisionNames = ['float32', 'float16', 'bfloat16'] as const;
export type PrecisionName = (typeof precisionNames)[number];

/** What the caller gives; what is left out has the default of `recipeDefaults`. */
export interface Recipe {
  readonly optimizer?: OptimizerName;
  readonly loss?: LossName;
  /** Huber: where the loss goes from squared to linear. */
  readonly huberDelta?: number;
  /** Highest learning rate, reached after the warm-up. */
  readonly learningRate?: number;
  readonly schedule?: ScheduleName;
  /** Share of the steps over which the learning rate rises to its peak, 0 ≤ f < 1. */
  readonly warmupFraction?: number;
  /** `step` and `exponential`: what the learning rate is multiplied by every `decayEpochs`. */
  readonly decayFactor?: number;
  readonly decayEpochs?: number;
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
  /**
   * Decay d of a running mean of the weights and running statistics, which then is the result of the
   * training; 0: none. Bias-corrected: after update t it is the mean with weights dᵗ⁻ⁱ of the values
   * after updates i = 1 … t, without the ones that training began with.
   */
  readonly ema?: number;
  /** Rows (images) whose gradient is computed at once. */
  readonly batch?: number;
  /** Batches whose mean gradient makes one update. */
  readonly accumulate?: number;
  /** Images are shifted by up to this many pixels. */
  readonly crop?: number;
  /** Images are mirrored left to right, half of them. */
  readonly flip?: boolean;
  /** Side in pixels of a square that is blanked in each image. */
  readonly cutout?: number;
  /** α of mixup's Beta(α, α); 0: none. */
  readonly mixup?: number;
  /** Element type of the arithmetic. */
  readonly precision?: PrecisionName;
}

export type ResolvedRecipe = Required<Recipe>;

const shared = {
  loss: 'cross-entropy',
  huberDelta: 1,
  schedule: 'cosine',
  warmupFraction: 0.1,
  decayFactor: 0.1,
  decayEpochs: 10,
  momentum: 0.9,
  nesterov: false,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  labelSmoothing: 0,
  clipNorm: 1,
  ema: 0,
  batch: 64,
  accumulate: 1,
  crop: 0,
  flip: false,
  cutout: 0,
  mixup: 0,
  precision: 'float32',
} as const;

/** Defaults by optimiser. */
export const recipeDefaults: Readonly<Record<OptimizerName, ResolvedRecipe>> = {
  sgd: { ...shared, optimizer: 'sgd', learningRate: 0.05, weightDecay: 5e-4 },
  adamw: { ...shared, optimizer: 'adamw', learningRate: 3e-3, weightDecay: 0.02 },
};

const choices = {
  optimizer: optimizerNames,
  loss: lossNames,
  schedule: scheduleNames,
  precision: precisionNames,
} as const;

/** Lowest and highest value of each number; the highest is excluded. */
const bounds = {
  huberDelta: { low: Number.MIN_VALUE, high: Number.POSITIVE_INFINITY },
  learningRate: { low: 0, high: Number.POSITIVE_INFINITY },
  warmupFraction: { low: 0, high: 1 },
  decayFactor: { low: Number.MIN_VALUE, high: Number.POSITIVE_INFINITY },
  decayEpochs: { low: Number.MIN_VALUE, high: Number.POSITIVE_INFINITY },
  momentum: { low: 0, high: 1 },
  beta1: { low: 0, high: 1 },
  beta2: { low: 0, high: 1 },
  epsilon: { low: 0, high: 1 },
  weightDecay: { low: 0, high: Number.POSITIVE_INFINITY },
  labelSmoothing: { low: 0, high: 1 },
  clipNorm: { low: 0, high: Number.POSITIVE_INFINITY },
  ema: { low: 0, high: 1 },
  mixup: { low: 0, high: Number.POSITIVE_INFINITY },
} as const;

/** Least value of each count. */
const counts = { batch: 2, accumulate: 1, crop: 0, cutout: 0 } as const;

/** The recipe with its defaults. Throws `UsageError` for a value out of range. */
export function resolveRecipe(recipe: Recipe = {}): ResolvedRecipe {
  for (const key of keysOf(choices)) {
    const value = recipe[key];
    const names: readonly string[] = choices[key];
    if (value !== undefined && !names.includes(value)) {
      refuse(key, names.join(', ').replace(/, ([^,]*)$/, ' or $1'), value);
    }
  }
  const resolved = { ...recipeDefaults[recipe.optimizer ?? 'adamw'], ...recipe };
  for (const key of keysOf(bounds)) {
    const { low, high } = bounds[key];
    const value = resolved[key];
    if (value >= low && value < high) continue;
    const least = low === Number.MIN_VALUE ? 'above 0' : `at least ${low}`;
    refuse(
      key,
      `a finite number ${high === Number.POSITIVE_INFINITY ? least : `in [${low}, ${high})`}`,
      value,
    );
  }
  for (const key of keysOf(counts)) {
    const value = resolved[key];
    if (!Number.isSafeInteger(value) || value < counts[key]) {
      refuse(key, `a whole number from ${counts[key]}`, value);
    }
  }
  return Object.freeze(resolved);
}

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}

function refuse(key: string, expected: string, received: unknown): never {
  throw new UsageError(`recipe.${key}: expected ${expected}, received ${received}`);
}
