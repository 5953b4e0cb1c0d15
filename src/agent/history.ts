/** What a strategy was told: the trials by id, the architectures seen, and how the trials stand. */
import type { Json, Proposal, Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Problem } from './agent.js';
import { Standings, type Weights } from './standing.js';

/** Draws of a proposal before one that was seen already is proposed again. */
const MAX_TRIES = 20;

export class History {
  readonly standings: Standings;
  readonly #problem: Problem;
  readonly #trials: Trial[] = [];
  readonly #byId = new Map<number, Trial>();
  readonly #seen = new Set<string>();

  constructor(problem: Problem) {
    this.#problem = problem;
    this.standings = new Standings(problem);
  }

  add(trial: Trial): void {
    this.#trials.push(trial);
    this.#byId.set(trial.id, trial);
    this.#seen.add(JSON.stringify(trial.architecture));
    this.standings.add(trial);
  }

  get trials(): readonly Trial[] {
    return this.#trials;
  }

  byId(id: number | undefined): Trial | undefined {
    return id === undefined ? undefined : this.#byId.get(id);
  }

  isSeen(architecture: Json): boolean {
    return this.#seen.has(JSON.stringify(architecture));
  }

  /** The first draw that was not seen before; the last one where all were. */
  fresh(draw: () => Proposal): Proposal {
    let proposal = draw();
    for (let i = 1; i < MAX_TRIES && this.isSeen(proposal.architecture); i++) proposal = draw();
    return proposal;
  }

  /** A sample of the space that was not seen before. */
  sample(rng: Rng, operator = 'sample'): Proposal {
    const { operators } = this.#problem;
    return this.fresh(() => ({ architecture: operators.sample(rng), operator, parents: [] }));
  }

  /** Which of two trials stands better; the first of equals. */
  better(a: Trial, b: Trial, weights: Weights): Trial {
    return this.standings.of(b, weights) < this.standings.of(a, weights) ? b : a;
  }

  /** The best `count` that `admits`, best first, the older of equals first. */
  best(count: number, weights: Weights, admits: (trial: Trial) => boolean = () => true): Trial[] {
    const best: { readonly trial: Trial; readonly standing: number }[] = [];
    for (const trial of this.#trials) {
      const standing = this.standings.of(trial, weights);
      if (best.length === count && !(standing < (best.at(-1)?.standing as number))) continue;
      if (!admits(trial)) continue;
      let at = best.length;
      while (at > 0 && standing < (best[at - 1]?.standing as number)) at--;
      best.splice(at, 0, { trial, standing });
      if (best.length > count) best.pop();
    }
    return best.map(({ trial }) => trial);
  }
}
