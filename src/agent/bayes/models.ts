/**
 * What is known at any number of trials: generations of surrogates, each fitted at a fixed number of
 * trials. The next one is made ready over the tells that follow its fit, while the last one answers,
 * so that no ask pays for a whole fit. What is known is a function of the trials told, however often
 * it was asked in between.
 */
import { totalViolation } from '../../trial/rank.js';
import type { InfeasibleTrial, Trial } from '../../trial/trial.js';
import type { Problem } from '../agent.js';
import { nextFit } from './fit.js';
import { Generation, type Lanes } from './generation.js';
import { failureLane, type Lane, limitLanes, objectiveLane, weightings } from './lanes.js';
import type { Listing } from './listing.js';
import { Pool } from './pool.js';
import type { Row } from './rows.js';
import { scalarisedRows } from './targets.js';

/**
 * Multiplications per tell and surrogate for the next generation, one to two milliseconds. The largest
 * surrogate of a listed space (128 rows, 1,000 points of 44 features) takes 19 million, hence is ready
 * 16 tells after its fit, of 19 to 48 that come before the next one.
 */
const WORK_PER_TELL = 1.2e6;

/** Good trials that others are made of. */
const PARENTS = 12;

interface Lesson {
  readonly trial: Trial;
  readonly point: Float64Array;
}

/** A generation, and in a listed space the indices of its pool's points. */
export interface Answer {
  readonly generation: Generation;
  readonly groups: readonly number[];
}

export class Models {
  readonly #lanes: Lanes;
  readonly #weightings: readonly (readonly number[])[];
  readonly #listing: Listing | undefined;
  readonly #pool: Pool | undefined;
  #waiting: Lesson[] = [];
  #told = 0;
  /** Trials that were looked at, and how many there will be at the next fit. */
  #known = 0;
  #fit: number;
  #current: Answer | undefined;
  #coming: Answer | undefined;
  /** Infeasible trials that miss the least. */
  #nearest: readonly InfeasibleTrial[] = [];

  /** @param firstFit trials before the first fit. */
  constructor(problem: Problem, firstFit: number, listing: Listing | undefined) {
    this.#lanes = {
      objective: objectiveLane(problem),
      limits: limitLanes(problem),
      failure: failureLane(),
    };
    this.#weightings = weightings(problem.objectives.length);
    this.#fit = firstFit;
    this.#listing = listing;
    this.#pool = listing === undefined ? undefined : new Pool(problem.operators, listing);
  }

  /** Learns of a trial with the scaled features of its architecture. */
  add(trial: Trial, point: Float64Array): void {
    this.#waiting.push({ trial, point });
    this.#told++;
  }

  /** What answers after the trials told; undefined before the first fit. */
  answer(): Answer | undefined {
    for (const lesson of this.#waiting) this.#learn(lesson);
    this.#waiting = [];
    return this.#current;
  }

  /** Whether a trial was told at this point of the listing. */
  isTried(group: number): boolean {
    return this.#pool?.isTried(group) ?? false;
  }

  /** Complete trials, best first by the weights; where there are none, those that miss the least. */
  parents(weights: readonly number[]): readonly Trial[] {
    const { rows } = this.#lanes.objective;
    const shares = scalarisedRows(rows, weights);
    const best = rows
      .map(({ trial }, i) => ({ trial, share: shares[i] as number }))
      .filter(({ trial }) => trial.state === 'complete')
      .sort((a, b) => a.share - b.share || a.trial.id - b.trial.id)
      .slice(0, PARENTS);
    return best.length > 0 ? best.map(({ trial }) => trial) : this.#nearest;
  }

  #learn({ trial, point }: Lesson): void {
    this.#known++;
    this.#pool?.add(trial);
    if (trial.state === 'infeasible') {
      this.#nearest = [...this.#nearest, trial].sort(byViolation).slice(0, PARENTS);
    }
    for (const lane of this.#all) lane.add(trial, point);
    this.#current?.generation.add(trial, point);
    this.#coming?.generation.add(trial, point);
    if (this.#known === this.#fit) this.#begin();
    else if (this.#coming?.generation.prepare(WORK_PER_TELL) === true) this.#replace();
    // The first has no other to answer in its place.
    if (this.#current === undefined) this.#replace();
  }

  get #all(): readonly Pick<Lane<Row>, 'add' | 'choose'>[] {
    const { objective, limits, failure } = this.#lanes;
    return [objective, ...limits, failure];
  }

  #begin(): void {
    for (const lane of this.#all) lane.choose();
    const fit = this.#fit;
    this.#fit = nextFit(fit);
    if (this.#coming !== undefined) this.#replace();
    // Where two more fits are due already, this one will never be asked.
    if (nextFit(this.#fit) <= this.#told) {
      this.#current = undefined;
      return;
    }
    const groups = this.#pool?.draw(
      this.#weightings.flatMap((each) => this.parents(each)),
      fit,
    );
    const points = groups?.map((group) => this.#listing?.points[group] as Float64Array);
    this.#coming = { generation: new Generation(this.#lanes, points ?? []), groups: groups ?? [] };
  }

  #replace(): void {
    this.#current = this.#coming;
    this.#coming = undefined;
  }
}

const byViolation = (a: InfeasibleTrial, b: InfeasibleTrial) =>
  totalViolation(a) - totalViolation(b) || a.id - b.id;
