/**
 * Bayesian optimisation: Gaussian processes over the features of architectures say how good an untried
 * one is and how sure that is; what is expected to improve most is tried next. A Gaussian process was
 * chosen because a new trial is learned without starting again, and it needs no random numbers.
 *
 * Limits: each has a process of how far its metric is from it, and the expected improvement is
 * multiplied with the probability that it holds (Gardner et al. 2014), as with that of not failing.
 * Several objectives: one scalarisation with weights drawn per ask (ParEGO, Knowles 2006) over one
 * factorisation, which costs the same for any number of objectives, as a hypervolume's would not.
 */
import type { Json, Proposal, Trial } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Agent, Problem } from './agent.js';
import { drawCandidates } from './bayes/candidates.js';
import { listingOf, type Member } from './bayes/listing.js';
import { type Answer, Models } from './bayes/models.js';
import { type Scale, scaleOf } from './bayes/scale.js';

export interface BayesOptions {
  /** Random samples before the first use of a model. */
  readonly initialSamples?: number;
  /** Share of the untried architectures that an ask passes over, so that two asks may differ. */
  readonly passedOver?: number;
}

/** Chosen on CIFAR-10 of NAS-Bench-201, `c10_val_12`, by the test accuracy after 100 queries. */
export const BAYES_DEFAULTS: Required<BayesOptions> = { initialSamples: 20, passedOver: 0.2 };

/** Children drawn where a space is not scored whole. */
const CHILDREN = 40;
/** Draws of a sample before one that was seen is proposed again. */
const MAX_TRIES = 20;

/** An agent that can also judge what others propose. */
export interface ModelAgent extends Agent {
  /**
   * How much each architecture is expected to improve on what was told, times the probability that it
   * holds all limits and does not fail; undefined while there is too little to go by.
   */
  promise(architectures: readonly Json[], rng: Rng): Float64Array | undefined;
}

/** An agent that models what it was told. */
export function createBayesAgent(problem: Problem, options: BayesOptions = {}): ModelAgent {
  const { operators, objectives } = problem;
  const { initialSamples, passedOver } = { ...BAYES_DEFAULTS, ...options };
  const listing = listingOf(operators);
  const samplesWanted = Math.max(2, initialSamples);
  const models = new Models(problem, samplesWanted, listing);
  const seen = new Set<string>();
  /** Told before the scale of features was known. */
  let waiting: { readonly trial: Trial; readonly features: Float64Array }[] = [];
  let scale = listing?.scale;

  const pointOf = (architecture: Json): Float64Array => {
    const group = listing?.groupOf.get(JSON.stringify(architecture));
    if (group !== undefined) return listing?.points[group] as Float64Array;
    return (scale as Scale)(operators.features(architecture));
  };

  const sample = (rng: Rng): Proposal => {
    let architecture = operators.sample(rng);
    for (let i = 1; i < MAX_TRIES && seen.has(JSON.stringify(architecture)); i++) {
      architecture = operators.sample(rng);
    }
    if (listing !== undefined && seen.has(JSON.stringify(architecture))) {
      const free = listing.members.flat().filter(({ key }) => !seen.has(key));
      if (free.length > 0) architecture = rng.pick(free).architecture;
    }
    return { architecture, operator: 'sample', parents: [] };
  };

  /** The best of a pool of a listed space. */
  const pickListed = ({ generation, groups }: Answer, weights: readonly number[], rng: Rng) => {
    const isUntried = (c: number) => !models.isTried(groups[c] as number);
    const best = bestOf(generation.judge(weights), isUntried, passedOver, rng);
    if (best === undefined) return undefined;
    const members = listing?.members[groups[best] as number] as readonly Member[];
    return { architecture: rng.pick(members).architecture, operator: 'model', parents: [] };
  };

  /** The best of some children of good trials. */
  const pickChild = ({ generation }: Answer, weights: readonly number[], rng: Rng) => {
    const parents = models.parents(weights);
    if (parents.length === 0) return undefined;
    const children = drawCandidates(operators, parents, CHILDREN, (key) => seen.has(key), rng);
    const points = children.map(({ architecture }) => pointOf(architecture));
    const child = bestOf(generation.judge(weights, points), () => true, 0, rng);
    return child === undefined ? undefined : children[child];
  };

  return {
    name: 'bayes',
    observe(trial) {
      seen.add(JSON.stringify(trial.architecture));
      if (scale !== undefined) return models.add(trial, pointOf(trial.architecture));
      waiting.push({ trial, features: operators.features(trial.architecture) });
      if (waiting.length < samplesWanted) return;
      scale = scaleOf(waiting.map(({ features }) => features));
      for (const each of waiting) models.add(each.trial, scale(each.features));
      waiting = [];
    },
    promise(architectures, rng) {
      const weights = drawWeights(objectives.length, rng);
      return models.answer()?.generation.judge(weights, architectures.map(pointOf));
    },
    propose(rng): Proposal {
      const answer = models.answer();
      if (answer === undefined) return sample(rng);
      const weights = drawWeights(objectives.length, rng);
      const pick = listing === undefined ? pickChild : pickListed;
      return pick(answer, weights, rng) ?? sample(rng);
    },
  };
}

/** Uniform over weights that sum to 1. */
function drawWeights(count: number, rng: Rng): number[] {
  const draws = Array.from({ length: count }, () => -Math.log(1 - rng.uniform()) + 1e-12);
  const sum = draws.reduce((total, draw) => total + draw, 0);
  return draws.map((draw) => draw / sum);
}

/** Index of the highest score among the allowed; each is passed over at random, unless all are. */
function bestOf(
  score: Float64Array,
  isAllowed: (candidate: number) => boolean,
  passedOver: number,
  rng: Rng,
): number | undefined {
  let best: number | undefined;
  let fallback: number | undefined;
  for (let c = 0; c < score.length; c++) {
    if (!isAllowed(c)) continue;
    fallback ??= c;
    if (best !== undefined && (score[c] as number) <= (score[best] as number)) continue;
    if (passedOver === 0 || rng.uniform() >= passedOver) best = c;
  }
  return best ?? fallback;
}
