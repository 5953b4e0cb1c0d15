/**
 * Which edit pays: a bandit whose arms are the decisions of the space. A good trial is edited in one
 * decision, drawn by Thompson sampling over how often edits of each bettered their trial of late; a
 * trial by any agent that differs from its only parent in a few decisions is evidence too.
 */
import type { Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Agent, Problem } from './agent.js';
import { differences, editDecision } from './edits.js';
import { History } from './history.js';
import { drawWeights } from './standing.js';

const INITIAL_SAMPLES = 10;
/** Trials that an edit may begin from: the best ones so far. */
const ELITE = 10;
/** Trials over which the evidence fades to a third. */
const WINDOW = 100;
/** Decisions that a trial may differ in from its parent to count as evidence on each. */
const MAX_DIFFERENCES = 2;

export function createBanditAgent(problem: Problem): Agent {
  const { operators } = problem;
  const history = new History(problem);
  const wins = new Float64Array(operators.decisions.length);
  const losses = new Float64Array(operators.decisions.length);

  /** Decisions, the most promising draw first. */
  const arms = (rng: Rng): number[] =>
    operators.decisions
      .map((_, i) => ({ i, draw: beta(1 + (wins[i] as number), 1 + (losses[i] as number), rng) }))
      .sort((a, b) => b.draw - a.draw)
      .map(({ i }) => i);
  const learn = (trial: Trial, parent: Trial) => {
    for (let i = 0; i < wins.length; i++) {
      (wins[i] as number) *= 1 - 1 / WINDOW;
      (losses[i] as number) *= 1 - 1 / WINDOW;
    }
    const changed = differences(operators, trial.architecture, parent.architecture);
    if (changed.length > MAX_DIFFERENCES) return;
    const weights = problem.objectives.map(() => 1);
    const gain = history.standings.of(parent, weights) - history.standings.of(trial, weights);
    for (const i of changed) {
      const evidence = gain > 0 ? wins : losses;
      (evidence[i] as number) += 1 / changed.length;
    }
  };

  return {
    name: 'bandit',
    propose(rng) {
      if (history.trials.length < INITIAL_SAMPLES) return history.sample(rng);
      const elite = history.best(ELITE, drawWeights(problem, rng));
      return history.fresh(() => {
        const parent = elite[
          Math.min(rng.integer(elite.length), rng.integer(elite.length))
        ] as Trial;
        for (const decision of arms(rng)) {
          const architecture = editDecision(operators, parent.architecture, decision, rng);
          if (architecture === undefined || history.isSeen(architecture)) continue;
          return { architecture, operator: 'edit', parents: [parent.id] };
        }
        const architecture = operators.mutate(parent.architecture, rng, 2);
        return { architecture, operator: 'mutate', parents: [parent.id] };
      });
    },
    observe(trial) {
      const parent = trial.parents.length === 1 ? history.byId(trial.parents[0]) : undefined;
      history.add(trial);
      if (parent !== undefined) learn(trial, parent);
    },
  };
}

/** A draw of the beta distribution, as two of the gamma distribution. */
function beta(a: number, b: number, rng: Rng): number {
  const x = gamma(a, rng);
  return x / (x + gamma(b, rng));
}

/** A draw of the gamma distribution of a shape of at least 1 (Marsaglia and Tsang 2000). */
function gamma(shape: number, rng: Rng): number {
  const d = shape - 1 / 3;
  for (;;) {
    const x = rng.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - rng.uniform()) < x ** 2 / 2 + d - d * v + d * Math.log(v))
      return d * v;
  }
}
