/**
 * Which architectures will break a limit, foretold from those that were measured: per constraint a
 * ridge regression on the space's features, updated with each trial (recursive least squares). The
 * metric itself and its logarithm are both modelled, since costs add up in some spaces and multiply
 * in others; the one that foretold the trials so far better is asked.
 */
import type { Constraint } from '../trial/objective.js';
import type { Trial } from '../trial/trial.js';
import type { Problem } from './agent.js';

/** Measured trials before the first forecast. */
const MIN_TRIALS = 12;
/** Mean errors that a forecast has to be beyond a limit. */
const MARGIN = 0.5;
const RIDGE = 1;
/** Weight of the newest error in the mean error. */
const ERROR_RATE = 0.1;

export class Feasibility {
  readonly #problem: Problem;
  readonly #models: readonly Model[];

  constructor(problem: Problem) {
    this.#problem = problem;
    this.#models = problem.constraints.map((constraint) => new Model(constraint));
  }

  add(trial: Trial): void {
    if (this.#models.length === 0 || trial.state === 'failed') return;
    const features = this.#problem.operators.features(trial.architecture);
    for (const model of this.#models) {
      const actual = trial.metrics[model.constraint.metric];
      if (actual !== undefined && Number.isFinite(actual)) model.add(features, actual);
    }
  }

  /** Whether the architecture is expected to break a limit by more than the usual error. */
  isDoubtful(architecture: Trial['architecture']): boolean {
    if (this.#models.length === 0) return false;
    const features = this.#problem.operators.features(architecture);
    return this.#models.some((model) => model.breaks(features));
  }
}

/** A scale that a metric is modelled on. */
interface Scale {
  readonly regression: Regression;
  readonly to: (value: number) => number;
  readonly from: (value: number) => number;
  /** Mean absolute error of forecasts, in the metric's unit. */
  error: number;
}

const logarithm = (value: number) => Math.log(Math.max(value, Number.MIN_VALUE));

class Model {
  readonly constraint: Constraint;
  #scales: readonly Scale[] = [];
  #trials = 0;

  constructor(constraint: Constraint) {
    this.constraint = constraint;
  }

  add(features: Float64Array, actual: number): void {
    if (this.#trials === 0) {
      const regression = () => new Regression(features.length + 1);
      const same = (value: number) => value;
      this.#scales = [
        { regression: regression(), to: same, from: same, error: 0 },
        { regression: regression(), to: logarithm, from: Math.exp, error: 0 },
      ];
    }
    this.#trials++;
    for (const scale of this.#scales) {
      const error = Math.abs(scale.from(scale.regression.predict(features)) - actual);
      const rate = Math.max(ERROR_RATE, 1 / this.#trials);
      scale.error += rate * (error - scale.error);
      scale.regression.add(features, scale.to(actual));
    }
  }

  breaks(features: Float64Array): boolean {
    if (this.#trials < MIN_TRIALS) return false;
    const { max, min } = this.constraint;
    const { regression, from, error } = this.#scales.reduce((a, b) => (b.error < a.error ? b : a));
    const forecast = from(regression.predict(features));
    const slack = MARGIN * error;
    return (
      (max !== undefined && forecast > max + slack) || (min !== undefined && forecast < min - slack)
    );
  }
}

/** Ridge regression with a constant term, by the Sherman-Morrison formula. */
class Regression {
  readonly #weights: Float64Array;
  /** Inverse of (ridge + sum of the outer products of the inputs), row by row. */
  readonly #inverse: Float64Array;
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
    this.#weights = new Float64Array(size);
    this.#inverse = new Float64Array(size * size);
    for (let i = 0; i < size; i++) this.#inverse[i * size + i] = 1 / RIDGE;
    // The constant term is not to be shrunk.
    this.#inverse[size * size - 1] = 1e4;
  }

  predict(features: Float64Array): number {
    let sum = this.#weights[this.#size - 1] as number;
    for (let i = 0; i < features.length; i++) {
      sum += (features[i] as number) * (this.#weights[i] as number);
    }
    return sum;
  }

  add(features: Float64Array, target: number): void {
    const size = this.#size;
    const input = Float64Array.of(...features, 1);
    const gain = new Float64Array(size);
    for (let row = 0; row < size; row++) {
      let sum = 0;
      for (let i = 0; i < size; i++) {
        sum += (this.#inverse[row * size + i] as number) * (input[i] as number);
      }
      gain[row] = sum;
    }
    const scale = 1 + gain.reduce((sum, value, i) => sum + value * (input[i] as number), 0);
    const error = (target - this.predict(features)) / scale;
    for (let row = 0; row < size; row++) {
      const own = gain[row] as number;
      (this.#weights[row] as number) += own * error;
      for (let i = 0; i < size; i++) {
        (this.#inverse[row * size + i] as number) -= (own * (gain[i] as number)) / scale;
      }
    }
  }
}
