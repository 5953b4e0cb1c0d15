/**
 * REINFORCE (Williams 1992; a controller for architectures: Zoph and Le 2017), factorised: each
 * decision is a categorical distribution of its own, whose logits go along the advantage times the
 * gradient of the log-probability, plus an entropy bonus that keeps it exploring.
 */
import type { Rng } from '../util/random.js';
import type { Agent, Problem } from './agent.js';
import { History } from './history.js';

const LEARNING_RATE = 0.6;
const ENTROPY_BONUS = 0.02;
/** Weight of the newest reward in the baseline. */
const BASELINE_RATE = 0.1;

export function createReinforceAgent(problem: Problem): Agent {
  const { operators } = problem;
  const history = new History(problem);
  const weights = problem.objectives.map(() => 1);
  const logits = operators.decisions.map(({ options }) => new Float64Array(options));
  let baseline: number | undefined;

  return {
    name: 'reinforce',
    propose: (rng) =>
      history.fresh(() => ({
        architecture: operators.fromChoices(logits.map((own) => drawOption(own, rng))),
        operator: 'policy',
        parents: [],
      })),
    /** The gradient is that of the policy's own draws: trials of others only rank them. */
    observe(trial, isOwn = true) {
      history.add(trial);
      if (!isOwn) return;
      // Standings of 2 and more are infeasible or failed.
      const reward = 1 - Math.min(2, history.standings.of(trial, weights));
      const advantage = reward - (baseline ?? reward);
      baseline = baseline === undefined ? reward : baseline + BASELINE_RATE * (reward - baseline);
      operators.choices(trial.architecture).forEach((choice, i) => {
        if (choice >= 0) climb(logits[i] as Float64Array, choice, advantage);
      });
    },
  };
}

/** One step of gradient ascent on advantage · log p(choice) + bonus · entropy. */
function climb(logits: Float64Array, choice: number, advantage: number): void {
  const p = softmax(logits);
  const entropy = -p.reduce((sum, share) => sum + share * Math.log(share), 0);
  p.forEach((share, option) => {
    const score = Number(option === choice) - share;
    const spread = -share * (Math.log(share) + entropy);
    (logits[option] as number) += LEARNING_RATE * (advantage * score + ENTROPY_BONUS * spread);
  });
}

function softmax(logits: Float64Array): Float64Array {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => Math.max(1e-12, power / sum));
}

function drawOption(logits: Float64Array, rng: Rng): number {
  let left = rng.uniform();
  const p = softmax(logits);
  for (let option = 0; option < p.length - 1; option++) {
    left -= p[option] as number;
    if (left < 0) return option;
  }
  return p.length - 1;
}
