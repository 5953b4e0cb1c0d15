/** Surrogates that were fitted at the same trial, and the pool of points that they all know. */
import type { Trial } from '../../trial/trial.js';
import {
  type FailureRow,
  type Lane,
  type LimitLane,
  type LimitRow,
  marginsOf,
  type ScoredRow,
} from './lanes.js';
import { expectedImprovement, normalBelow } from './normal.js';
import type { Row } from './rows.js';
import { Surrogate } from './surrogate.js';
import { type Bound, objectiveTargets } from './targets.js';

export interface Lanes {
  readonly objective: Lane<ScoredRow>;
  readonly limits: readonly LimitLane[];
  readonly failure: Lane<FailureRow>;
}

/** A lane and what was fitted to it. */
interface Pupil<R extends Row> {
  readonly lane: Lane<R>;
  readonly surrogate: Surrogate<R>;
}

export class Generation {
  readonly pool: readonly Float64Array[];
  readonly #objective: Pupil<ScoredRow> | undefined;
  readonly #limits: readonly (Pupil<LimitRow> & { readonly bound: Bound })[];
  readonly #failure: Pupil<FailureRow> | undefined;

  /** Of the rows that lanes have; one without rows teaches nothing until the next generation. */
  constructor({ objective, limits, failure }: Lanes, pool: readonly Float64Array[]) {
    const teach = <R extends Row>(lane: Lane<R>): Pupil<R> | undefined =>
      lane.rows.length === 0
        ? undefined
        : { lane, surrogate: new Surrogate(lane.rows, lane.task, pool) };
    this.pool = pool;
    this.#objective = teach(objective);
    this.#limits = limits.flatMap((lane) => {
      const pupil = teach<LimitRow>(lane);
      return pupil === undefined ? [] : [{ ...pupil, bound: lane.bound }];
    });
    this.#failure = failure.rows.some(({ failed }) => failed === 1) ? teach(failure) : undefined;
  }

  get #surrogates(): readonly Pick<Surrogate<Row>, 'isReady' | 'step'>[] {
    return [this.#objective, ...this.#limits, this.#failure].flatMap((pupil) =>
      pupil === undefined ? [] : [pupil.surrogate],
    );
  }

  add(trial: Trial, point: Float64Array): void {
    learn(this.#objective, trial, point);
    for (const limit of this.#limits) learn(limit, trial, point);
    learn(this.#failure, trial, point);
  }

  /** Works for about as many multiplications in each surrogate. Returns whether all are ready. */
  prepare(multiplications = Number.POSITIVE_INFINITY): boolean {
    for (const surrogate of this.#surrogates) {
      for (let left = multiplications; left > 0 && !surrogate.isReady; ) left -= surrogate.step();
    }
    return this.#surrogates.every(({ isReady }) => isReady);
  }

  /**
   * Expected improvement × probability of holding every limit × that of not failing, at each of
   * `points` or of the pool.
   */
  judge(weights: readonly number[], points?: readonly Float64Array[]): Float64Array {
    const score = new Float64Array((points ?? this.pool).length).fill(1);
    this.#multiplyImprovement(score, weights, points);
    for (const { surrogate, bound } of this.#limits) {
      const { mean, spread } = surrogate.predict(marginsOf(surrogate.rows, bound), points);
      multiply(score, (c) => normalBelow(-(mean[c] as number) / (spread[c] as number)));
    }
    if (this.#failure !== undefined) {
      const { surrogate } = this.#failure;
      const { mean, deviation } = surrogate.predict(
        surrogate.rows.map(({ failed }) => failed),
        points,
      );
      multiply(score, (c) => normalBelow((0.5 - (mean[c] as number)) / (deviation[c] as number)));
    }
    return score;
  }

  #multiplyImprovement(
    score: Float64Array,
    weights: readonly number[],
    points: readonly Float64Array[] | undefined,
  ): void {
    if (this.#objective === undefined) return;
    const { surrogate } = this.#objective;
    const targets = objectiveTargets(surrogate.rows, weights);
    const best = targets.reduce(
      (least, target, i) =>
        surrogate.rows[i]?.trial.state === 'complete' ? Math.min(least, target) : least,
      Number.POSITIVE_INFINITY,
    );
    if (best === Number.POSITIVE_INFINITY) return;
    const { mean, deviation } = surrogate.predict(targets, points);
    multiply(score, (c) => expectedImprovement(mean[c] as number, deviation[c] as number, best));
  }
}

function learn<R extends Row>(
  pupil: Pupil<R> | undefined,
  trial: Trial,
  point: Float64Array,
): void {
  const row = pupil?.lane.rowOf(trial, point);
  if (row !== undefined) pupil?.surrogate.add(row);
}

function multiply(score: Float64Array, factor: (candidate: number) => number): void {
  for (let c = 0; c < score.length; c++) score[c] = (score[c] as number) * factor(c);
}
