/**
 * How trials stand as one number, where `trial/rank.ts` orders a whole list. Told one trial at a
 * time, so that strategies pay for a new trial and not for all trials again.
 */
import { costsOf, totalViolation } from '../trial/rank.js';
import type { Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Problem } from './agent.js';

/** Of each objective, how much it counts; the largest is 1. */
export type Weights = readonly number[];

/** Probability that weights are those of the first objective alone. */
const FOCUS_PROBABILITY = 0.25;
/** Share of the plain sum in a scalarised standing: what ties in the worst objective are broken by. */
const SUM_SHARE = 0.05;

/** Weights for one question, so that in the long run all parts of the front are worked on. */
export function drawWeights({ objectives }: Problem, rng: Rng): Weights {
  if (objectives.length === 1) return [1];
  if (rng.uniform() < FOCUS_PROBABILITY) return objectives.map((_, i) => Number(i === 0));
  const shares = objectives.map(() => -Math.log(1 - rng.uniform()));
  const most = Math.max(...shares);
  return shares.map((share) => (most > 0 ? share / most : 1));
}

/** Standings among the trials told so far. */
export class Standings {
  readonly #problem: Problem;
  readonly #places = new Map<number, number>();
  /** What no weights change, by place: 0 for complete trials, 1 for pruned ones, else the standing. */
  #base = new Float64Array(FIRST_ROOM);
  /** Of each objective, by place: the cost, and how many complete trials have less. */
  readonly #costs: Float64Array[];
  readonly #ranks: Int32Array[];
  #complete = 0;

  constructor(problem: Problem) {
    this.#problem = problem;
    this.#costs = problem.objectives.map(() => new Float64Array(FIRST_ROOM));
    this.#ranks = problem.objectives.map(() => new Int32Array(FIRST_ROOM));
  }

  /** Takes the next place, counted from 0. */
  add(trial: Trial): void {
    const place = this.#places.size;
    if (place === this.#base.length) this.#grow();
    this.#places.set(trial.id, place);
    this.#base[place] = baseOf(trial);
    const isComplete = trial.state === 'complete';
    costsOf(trial.metrics, this.#problem.objectives).forEach((cost, i) => {
      const costs = this.#costs[i] as Float64Array;
      const ranks = this.#ranks[i] as Int32Array;
      let rank = 0;
      for (let other = 0; other < place; other++) {
        if ((costs[other] as number) > cost)
          ranks[other] = (ranks[other] as number) + Number(isComplete);
        else if ((costs[other] as number) < cost) rank += Number(this.#base[other] === 0);
      }
      costs[place] = cost;
      ranks[place] = rank;
    });
    if (isComplete) this.#complete++;
  }

  /**
   * The less, the better: [0, 1] for complete trials (weighted Chebyshev distance from the ideal, in
   * shares of complete trials that are better), [1, 2] for pruned ones, [2, 3] for infeasible ones by
   * their total violation, 4 for failed ones. The trial is one of those told.
   */
  of(trial: Trial, weights: Weights): number {
    return this.at(this.#places.get(trial.id) as number, weights);
  }

  /** The same for the trial in that place. */
  at(place: number, weights: Weights): number {
    const base = this.#base[place] as number;
    if (base > 1) return base;
    let worst = 0;
    let sum = 0;
    for (let i = 0; i < this.#ranks.length; i++) {
      const rank = (this.#ranks[i] as Int32Array)[place] as number;
      const weighted = (rank / Math.max(1, this.#complete)) * (weights[i] as number);
      worst = Math.max(worst, weighted);
      sum += weighted;
    }
    return base + (1 - SUM_SHARE) * worst + (SUM_SHARE * sum) / this.#ranks.length;
  }

  #grow(): void {
    const doubled = <T extends Float64Array | Int32Array>(old: T, room: T): T => {
      room.set(old);
      return room;
    };
    const room = 2 * this.#base.length;
    this.#base = doubled(this.#base, new Float64Array(room));
    for (let i = 0; i < this.#costs.length; i++) {
      this.#costs[i] = doubled(this.#costs[i] as Float64Array, new Float64Array(room));
      this.#ranks[i] = doubled(this.#ranks[i] as Int32Array, new Int32Array(room));
    }
  }
}

/** Trials that there is room for from the start. */
const FIRST_ROOM = 256;

function baseOf(trial: Trial): number {
  if (trial.state === 'complete') return 0;
  if (trial.state === 'pruned') return 1;
  if (trial.state === 'failed') return 4;
  const violation = totalViolation(trial);
  return Number.isFinite(violation) ? 2 + violation / (1 + violation) : 3;
}
