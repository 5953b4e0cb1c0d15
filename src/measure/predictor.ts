/**
 * Predicting latency or memory of networks on one device from some ten to some hundred measured ones.
 * A family of models is fitted, compared by cross-validation on the samples, and the best is kept:
 *
 * - `ridge`: on operator counts, the baseline that is always reported beside;
 * - `additive`: per-operator costs under a prior from physics (`predictor/additive.ts`);
 * - `kernel`: the additive model corrected by a Gaussian process over the graph's terms.
 *
 * Predictions order and pre-filter candidates; they are never a score.
 */
import { UsageError } from '../errors.js';
import type { Rng } from '../util/random.js';
import { type Accuracy, accuracyOf } from './predictor/accuracy.js';
import { fitAdditive } from './predictor/additive.js';
import type {
  Estimate,
  FeatureSchema,
  Features,
  FittedModel,
  Sample,
} from './predictor/features.js';
import { fitKernel } from './predictor/kernel.js';
import { fitRidge } from './predictor/ridge.js';
import { mean, stddev } from './statistics.js';

export type { Accuracy } from './predictor/accuracy.js';
export { accuracyOf, spearman } from './predictor/accuracy.js';
export { fitAdditive } from './predictor/additive.js';
export type {
  Account,
  FeatureSchema,
  Features,
  Sample,
  TermGroup,
} from './predictor/features.js';
export {
  createGraphEncoder,
  featuresOf,
  type GraphEncoder,
  type GraphWork,
  type Quantity,
} from './predictor/graph-features.js';
export { fitRidge } from './predictor/ridge.js';

export type ModelName = 'ridge' | 'additive' | 'kernel';

export interface Prediction {
  /** In the samples' unit. */
  readonly value: number;
  /** Calibrated by the residuals of cross-validation. */
  readonly stddev: number;
  /** Holds the measured value in about nine of ten cases. */
  readonly interval: readonly [number, number];
}

export interface Predictor {
  /** The model kept. */
  readonly model: ModelName;
  /** Out-of-fold accuracy on the samples of what was fitted, the ridge always among it. */
  readonly crossValidation: Readonly<Partial<Record<ModelName, Accuracy>>>;
  predict(features: Features): Prediction;
}

/** Fewest samples to learn from. */
export const LEAST_SAMPLES = 4;
/** From this many samples on, cross-validation has this many folds; below, it leaves one out. */
const MANY_SAMPLES = 16;
const FOLDS = 8;
/** Fewest samples for the kernel model. */
const KERNEL_SAMPLES = 20;
/** A simpler model is left when its error is larger by this many standard errors of the difference. */
const CLEARLY = 2;
/** Two-sided 90 % of the normal distribution. */
const Z90 = 1.645;
/** Calibration counts the model's own standard deviation as this many residuals. */
const TRUST = 5;
/** No prediction is below this share of the least sample. */
const LEAST_SHARE = 0.05;

/**
 * Learns from measured networks. `rng` draws the folds: the same samples and generator give the same
 * predictor. Throws `UsageError` for fewer than `LEAST_SAMPLES` or values that are not positive.
 */
export function fitPredictor(
  schema: FeatureSchema,
  samples: readonly Sample[],
  { rng }: { readonly rng: Rng },
): Predictor {
  checkSamples(samples);
  const values = samples.map(({ value }) => value);
  const folds = drawFolds(samples.length, rng);
  const ridge = crossValidate(samples, folds, fitRidge);
  const additive = crossValidate(samples, folds, (train) => fitAdditive(schema, train));
  const candidates: [ModelName, Candidate][] = [
    ['ridge', ridge],
    ['additive', additive],
  ];
  if (samples.length >= KERNEL_SAMPLES) {
    candidates.push(['kernel', correctCandidate(samples, folds, additive)]);
  }
  const crossValidation = Object.fromEntries(
    candidates.map(([name, { outOfFold }]) => [
      name,
      accuracyOf(
        outOfFold.map(({ value }) => value),
        values,
      ),
    ]),
  );
  const [model, kept] = choose(candidates, values);
  const factor = calibrate(kept.outOfFold, values);
  const least = LEAST_SHARE * Math.min(...values);
  return {
    model,
    crossValidation,
    predict(features) {
      const estimate = kept.model.estimate(features);
      const value = Math.max(least, estimate.value);
      const deviation = factor * estimate.stddev;
      const interval = [Math.max(0, value - Z90 * deviation), value + Z90 * deviation] as const;
      return { value, stddev: deviation, interval };
    },
  };
}

/** A model fitted to all samples, and what its kind says of each sample when fitted without it. */
interface Candidate {
  readonly model: FittedModel;
  readonly outOfFold: readonly Estimate[];
}

function checkSamples(samples: readonly Sample[]): void {
  if (samples.length < LEAST_SAMPLES) {
    throw new UsageError(
      `predictor: expected at least ${LEAST_SAMPLES} samples, received ${samples.length}`,
    );
  }
  const wrong = samples.find(({ value }) => !(Number.isFinite(value) && value > 0));
  if (wrong !== undefined) {
    throw new UsageError(`predictor: expected positive values, received ${wrong.value}`);
  }
}

/** Fold of each sample. */
function drawFolds(count: number, rng: Rng): readonly number[] {
  const folds = count < MANY_SAMPLES ? count : FOLDS;
  return rng.shuffle(Array.from({ length: count }, (_, i) => i % folds));
}

function crossValidate(
  samples: readonly Sample[],
  folds: readonly number[],
  learn: (train: readonly Sample[]) => FittedModel,
): Candidate {
  const models = Array.from({ length: Math.max(...folds) + 1 }, (_, fold) =>
    learn(samples.filter((_, i) => folds[i] !== fold)),
  );
  const outOfFold = samples.map(({ features }, i) =>
    (models[folds[i] as number] as FittedModel).estimate(features),
  );
  return { model: learn(samples), outOfFold };
}

/**
 * The kernel's correction of `base`. Its targets are out-of-fold residuals already; its own folds
 * are fitted to those of the other folds, with the settings that suit all.
 */
function correctCandidate(
  samples: readonly Sample[],
  folds: readonly number[],
  base: Candidate,
): Candidate {
  const said = base.outOfFold.map(({ value }) => value);
  const lookup = new Map(
    samples.map(({ features }, i) => [features, base.outOfFold[i] as Estimate]),
  );
  const held: FittedModel = { estimate: (features) => lookup.get(features) as Estimate };
  const model = fitKernel(samples, said, base.model);
  const models = Array.from({ length: Math.max(...folds) + 1 }, (_, fold) => {
    const kept = samples.flatMap((_, i) => (folds[i] === fold ? [] : [i]));
    return fitKernel(
      kept.map((i) => samples[i] as Sample),
      kept.map((i) => said[i] as number),
      held,
      model.settings,
    );
  });
  return {
    model,
    outOfFold: samples.map(({ features }, i) =>
      (models[folds[i] as number] as FittedModel).estimate(features),
    ),
  };
}

/**
 * The additive model by default; another where its squared relative errors are clearly smaller: by
 * more than the standard error of the difference.
 */
function choose(
  candidates: readonly [ModelName, Candidate][],
  values: readonly number[],
): [ModelName, Candidate] {
  const scale = mean(values);
  const losses = ([, { outOfFold }]: [ModelName, Candidate]) =>
    outOfFold.map(({ value }, i) => {
      const measured = values[i] as number;
      return ((value - measured) / (measured + scale)) ** 2;
    });
  const start = candidates.find(([name]) => name === 'additive') ?? candidates[0];
  return candidates.reduce(
    (best, next) => {
      const lossesOfBest = losses(best);
      const gains = losses(next).map((loss, i) => (lossesOfBest[i] as number) - loss);
      const noise = stddev(gains) / Math.sqrt(gains.length);
      return mean(gains) > CLEARLY * noise ? next : best;
    },
    start as [ModelName, Candidate],
  );
}

/** Factor by which a model's standard deviations fall short of its out-of-fold residuals. */
function calibrate(outOfFold: readonly Estimate[], values: readonly number[]): number {
  const squares = outOfFold.map(({ value, stddev }, i) =>
    stddev > 0 ? (((values[i] as number) - value) / stddev) ** 2 : 1,
  );
  return Math.sqrt((squares.reduce((a, b) => a + b, 0) + TRUST) / (squares.length + TRUST));
}
