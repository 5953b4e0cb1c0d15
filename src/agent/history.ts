/**
 * What a strategy was told: the trials by id, the architectures seen, how the trials stand, and which
 * limits are to be expected to hold.
 */
import type { Json, Proposal, Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Problem } from './agent.js';
import { Feasibility } from './feasibility.js';
import { Standings, type Weights } from './standing.js';

/** Draws of a proposal before one that was seen, or is expected to break a limit, is taken. */
const MAX_TRIES = 20;
/** The same of samples, which cost more than edits in some spaces. */
const MAX_SAMPLES = 3;

export class History {
  readonly standings: Standings;
  readonly #problem: Problem;
  readonly #feasibility: Feasibility;
  readonly #trials: Trial[] = [];
  readonly #byId = new Map<number, Trial>();
  readonly #seen = new Set<string>();

  constructor(problem: Problem) {
    this.#problem = problem;
    this.standings = new Standings(problem);
    this.#feasibility = new Feasibility(problem);
  }

  add(trial: Trial): void {
    this.#trials.push(trial);
    this.#byId.set(trial.id, trial);
    this.#seen.add(JSON.stringify(trial.architecture));
    this.standings.add(trial);
    this.#feasibility.add(trial);
  }

  get trials(): readonly Trial[] {
    return this.#trials;
  }

  byId(id: number | undefined): Trial | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /** Whether the architecture is expected to break a limit. */
  isDoubtful(architecture: Json): boolean {
    return this.#feasibility.isDoubtful(architecture);
  }

  isSeen(architecture: Json): boolean {
    return this.#seen.has(JSON.stringify(architecture));
  }

  /**
   * The first draw that was not seen before and is not expected to break a limit; a new one that is,
   * or the last one, where there was none.
   */
  fresh(draw: () => Proposal, tries = MAX_TRIES): Proposal {
    let fallback: Proposal | undefined;
    for (let i = 0; i < tries; i++) {
      const proposal = draw();
      const isSeen = this.isSeen(proposal.architecture);
      if (!isSeen && !this.isDoubtful(proposal.architecture)) return proposal;
      if (!isSeen || i === tries - 1) fallback ??= proposal;
    }
    return fallback as Proposal;
  }

  /** A sample of the space that was not seen before. */
  sample(rng: Rng, operator = 'sample'): Proposal {
    const { operators } = this.#problem;
    return this.fresh(
      () => ({ architecture: operators.sample(rng), operator, parents: [] }),
      MAX_SAMPLES,
    );
  }

  /** Which of two trials stands better; the first of equals. */
  better(a: Trial, b: Trial, weights: Weights): Trial {
    return this.standings.of(b, weights) < this.standings.of(a, weights) ? b : a;
  }

  /** The best `count` that `admits`, best first, the older of equals first. */
  best(count: number, weights: Weights, admits: (trial: Trial) => boolean = () => true): Trial[] {
    const best: { readonly trial: Trial; readonly standing: number }[] = [];
    for (let place = 0; place < this.#trials.length; place++) {
      const standing = this.standings.at(place, weights);
      if (best.length === count && !(standing < (best.at(-1)?.standing as number))) continue;
      const trial = this.#trials[place] as Trial;
      if (!admits(trial)) continue;
      let at = best.length;
      while (at > 0 && standing < (best[at - 1]?.standing as number)) at--;
      best.splice(at, 0, { trial, standing });
      if (best.length > count) best.pop();
    }
    return best.map(({ trial }) => trial);
  }
}
