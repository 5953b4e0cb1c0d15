/** What a trial added to the front, and how members of an ensemble share the budget by it. */
import { hypervolume } from '../trial/hypervolume.js';
import type { Objective } from '../trial/objective.js';
import { type Costs, dominates } from '../trial/pareto.js';
import { costsOf } from '../trial/rank.js';
import type { Trial } from '../trial/trial.js';

/** The front of the trials told so far, and the range that their costs lie in. */
export class Front {
  readonly #objectives: readonly Objective[];
  #points: Costs[] = [];
  #ideal: number[] = [];
  #worst: number[] = [];

  constructor(objectives: readonly Objective[]) {
    this.#objectives = objectives;
  }

  /**
   * Volume that `trial` adds to what the front dominates, each objective scaled to the range of the
   * complete trials so far; for one objective, how much it betters the incumbent.
   */
  add(trial: Trial): number {
    if (trial.state !== 'complete') return 0;
    const point = costsOf(trial.metrics, this.#objectives);
    if (!point.every(Number.isFinite)) return 0;
    this.#ideal = point.map((cost, i) => Math.min(cost, this.#ideal[i] ?? cost));
    this.#worst = point.map((cost, i) => Math.max(cost, this.#worst[i] ?? cost));
    const isNew = this.#points.every((one) => !dominates(one, point));
    if (!isNew) return 0;
    const gain = this.#volumeOf(point);
    this.#points = this.#points.filter((one) => !dominates(point, one));
    this.#points.push(point);
    return gain;
  }

  /** The part of the box of `point` that no member of the front dominates. */
  #volumeOf(point: Costs): number {
    const scaled = (costs: Costs) =>
      costs.map((cost, i) => {
        const range = (this.#worst[i] as number) - (this.#ideal[i] as number);
        return range > 0 ? (cost - (this.#ideal[i] as number)) / range : 0;
      });
    const own = scaled(point);
    const reference = own.map(() => 1);
    const limited = this.#points.map((one) =>
      scaled(one).map((cost, i) => Math.max(cost, own[i] as number)),
    );
    return hypervolume([own], reference) - hypervolume(limited, reference);
  }
}

/** Share of the past that a further trial leaves in force. */
const DISCOUNT = 0.98;
/** Trials of average yield that each member is taken to have had. */
const PRIOR_TRIALS = 5;
/** Share of the budget that is spread evenly, whatever the credit. */
const EVEN_SHARE = 0.3;

/** Discounted gain and cost of each member. */
export class Credit {
  readonly #gains: Float64Array;
  readonly #costs: Float64Array;
  readonly #trials: Float64Array;

  constructor(members: number) {
    this.#gains = new Float64Array(members);
    this.#costs = new Float64Array(members);
    this.#trials = new Float64Array(members);
  }

  /** @param seconds of evaluation; trials that cost nothing count alike. */
  add(member: number, gain: number, seconds: number): void {
    for (const sums of [this.#gains, this.#costs, this.#trials]) {
      for (let i = 0; i < sums.length; i++) (sums[i] as number) *= DISCOUNT;
    }
    (this.#gains[member] as number) += gain;
    (this.#costs[member] as number) += seconds;
    (this.#trials[member] as number) += 1;
  }

  /** Probability of each member to have the next trial, by its gain per cost. */
  shares(): readonly number[] {
    const members = this.#gains.length;
    const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
    const isFree = sum(this.#costs) === 0;
    const costs = isFree ? this.#trials : this.#costs;
    const trials = sum(this.#trials);
    const gain = sum(this.#gains);
    if (trials === 0 || gain === 0) return Array.from(costs, () => 1 / members);
    const priorGain = (PRIOR_TRIALS * gain) / trials;
    const priorCost = (PRIOR_TRIALS * sum(costs)) / trials;
    const yields = Array.from(
      costs,
      (cost, i) => ((this.#gains[i] as number) + priorGain) / (cost + priorCost),
    );
    const total = yields.reduce((a, b) => a + b, 0);
    return yields.map((one) => EVEN_SHARE / members + ((1 - EVEN_SHARE) * one) / total);
  }
}
