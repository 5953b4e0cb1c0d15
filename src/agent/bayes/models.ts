/** What trials teach, each in a surrogate of its own: objectives, limits, failure. */
import { costsOf } from '../../trial/rank.js';
import type { Trial } from '../../trial/trial.js';
import type { Problem } from '../agent.js';
import { expectedImprovement, normalBelow } from './normal.js';
import type { Prediction } from './posterior.js';
import { type Row, Surrogate } from './surrogate.js';
import {
  type Bound,
  boundsOf,
  type CostRow,
  marginTargets,
  objectiveTargets,
  scalarisedRows,
} from './targets.js';

/** A trial that tells of the objectives. */
export interface ScoredRow extends Row, CostRow {
  readonly trial: Trial;
}

interface LimitRow extends Row {
  readonly value: number;
}

interface FailureRow extends Row {
  /** 1 for a failed trial. */
  readonly failed: number;
}

/** A limit on a metric. */
interface LimitModel {
  readonly metric: string;
  readonly bound: Bound;
  readonly surrogate: Surrogate<LimitRow>;
}

/** Rows between the fits of two surrogates. */
const DELAY = 3;

export class Models {
  readonly #problem: Problem;
  readonly #objective: Surrogate<ScoredRow>;
  readonly #limits: readonly LimitModel[];
  readonly #failure: Surrogate<FailureRow>;
  #hasFailed = false;

  constructor(problem: Problem, pool: readonly Float64Array[] | undefined) {
    this.#problem = problem;
    const { objectives, constraints } = problem;
    const kinds = weightings(objectives.length);
    this.#objective = new Surrogate({
      fitTargets: (rows) => kinds.map((weights) => objectiveTargets(rows, weights)),
      importance: (rows) => {
        const orders = kinds.map((weights) => scalarisedRows(rows, weights));
        return rows.map((_, i) => Math.min(...orders.map((each) => each[i] as number)));
      },
      pool,
      delay: 0,
    });
    this.#limits = constraints.flatMap(({ metric, ...limit }, place) =>
      boundsOf({ metric, ...limit }).map((bound) => ({
        metric,
        bound,
        surrogate: new Surrogate<LimitRow>({
          fitTargets: (rows) => [marginsOf(rows, bound)],
          importance: (rows) => marginsOf(rows, bound).map(Math.abs),
          pool,
          delay: DELAY * (1 + place),
        }),
      })),
    );
    this.#failure = new Surrogate({
      fitTargets: (rows) => [rows.map(({ failed }) => failed)],
      importance: (rows) => rows.map(({ failed }) => -failed),
      pool,
      delay: DELAY * (1 + constraints.length),
    });
  }

  /** Learns of a trial with the scaled features of its architecture. */
  add(trial: Trial, point: Float64Array): void {
    const failed = Number(trial.state === 'failed');
    this.#hasFailed ||= failed === 1;
    this.#failure.add({ point, failed });
    // Else it would stay unknown how good they are, and the unknown is worth trying.
    if (trial.state === 'failed' || trial.state === 'pruned') {
      this.#objective.add({ trial, point, costs: undefined });
    }
    if (trial.state === 'failed') return;
    for (const { metric, surrogate } of this.#limits) {
      const value = trial.metrics[metric];
      if (value !== undefined && Number.isFinite(value)) surrogate.add({ point, value });
    }
    const { objectives } = this.#problem;
    const isWhole = objectives.every(({ metric }) => trial.metrics[metric] !== undefined);
    if (trial.state !== 'pruned' && isWhole) {
      this.#objective.add({ trial, point, costs: costsOf(trial.metrics, objectives) });
    }
  }

  /** Trials told. */
  get size(): number {
    return this.#failure.size;
  }

  /** Whether the pool can be judged whole. */
  get hasPool(): boolean {
    const surrogates = [this.#objective, ...this.#limits.map(({ surrogate }) => surrogate)];
    return (
      surrogates.every(({ hasPool }) => hasPool) && (!this.#hasFailed || this.#failure.hasPool)
    );
  }

  /** Complete trials, best first by the weights, among those that the model of objectives knows. */
  best(weights: readonly number[]): Trial[] {
    if (this.#objective.size === 0) return [];
    const rows = this.#objective.update();
    const targets = objectiveTargets(rows, weights);
    return rows
      .map(({ trial }, i) => ({ trial, target: targets[i] as number }))
      .filter(({ trial }) => trial.state === 'complete')
      .sort((a, b) => a.target - b.target || a.trial.id - b.trial.id)
      .map(({ trial }) => trial);
  }

  /**
   * Expected improvement × probability of holding every limit × that of not failing, at each of
   * `points` or of the pool.
   */
  judge(weights: readonly number[], count: number, points?: readonly Float64Array[]): Float64Array {
    const score = this.#improvement(weights, count, points);
    for (const { bound, surrogate } of this.#limits) {
      if (surrogate.size === 0) continue;
      const rows = surrogate.update();
      const { mean, spread } = surrogate.predict(marginsOf(rows, bound), points);
      multiply(score, (c) => normalBelow(-(mean[c] as number) / (spread[c] as number)));
    }
    if (this.#hasFailed) {
      const rows = this.#failure.update();
      const { mean, deviation } = this.#failure.predict(
        rows.map(({ failed }) => failed),
        points,
      );
      multiply(score, (c) => normalBelow((0.5 - (mean[c] as number)) / (deviation[c] as number)));
    }
    return score;
  }

  #improvement(
    weights: readonly number[],
    count: number,
    points?: readonly Float64Array[],
  ): Float64Array {
    const score = new Float64Array(count).fill(1);
    if (this.#objective.size === 0) return score;
    const rows = this.#objective.update();
    const targets = objectiveTargets(rows, weights);
    const best = targets.reduce(
      (least, target, i) => (rows[i]?.trial.state === 'complete' ? Math.min(least, target) : least),
      Number.POSITIVE_INFINITY,
    );
    if (best === Number.POSITIVE_INFINITY) return score;
    const { mean, deviation }: Prediction = this.#objective.predict(targets, points);
    multiply(score, (c) => expectedImprovement(mean[c] as number, deviation[c] as number, best));
    return score;
  }
}

function multiply(score: Float64Array, factor: (candidate: number) => number): void {
  for (let c = 0; c < score.length; c++) score[c] = (score[c] as number) * factor(c);
}

function marginsOf(rows: readonly LimitRow[], bound: Bound): number[] {
  return marginTargets(
    rows.map(({ value }) => value),
    bound,
  );
}

/** Each objective alone, and where there are several all alike. */
function weightings(objectives: number): number[][] {
  const alone = Array.from({ length: objectives }, (_, d) =>
    Array.from({ length: objectives }, (_, e) => Number(d === e)),
  );
  return objectives === 1 ? alone : [...alone, new Array<number>(objectives).fill(1 / objectives)];
}
