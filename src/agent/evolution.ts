/**
 * Regularised evolution (Real et al., arXiv 1802.01548): a population of the youngest trials, the best
 * of a small random tournament is mutated, the oldest dies however good it is. Added to it: several
 * edits at once, crossover, and ranking by feasibility, then Pareto fronts (`trial/rank.ts`). Sizes
 * are for budgets of tens of trials. With a memory, a mutation is the one of a few draws that promises
 * most by what the same changes did before, in this run or in one that is remembered.
 */
import { type Effect, effectsOf, findPairs } from '../memory/effects.js';
import { type Expectation, expectationOf } from '../memory/prior.js';
import type { Objective } from '../trial/objective.js';
import { rankTrials } from '../trial/rank.js';
import type { Json, Proposal, Trial, Violation } from '../trial/trial.js';
import type { Rng } from '../util/random.js';
import type { Agent, Problem } from './agent.js';

export interface EvolutionOptions {
  /** Trials alive at a time. */
  readonly populationSize?: number;
  /** Trials to have before the first tournament; random samples until then. */
  readonly initialSamples?: number;
  /** Trials drawn for a tournament. */
  readonly tournamentSize?: number;
  /** Probability that a child has two parents. */
  readonly crossoverProbability?: number;
  /** Probability of each further edit after the first of a mutation. */
  readonly extraEditProbability?: number;
  /** Probability that a tournament goes by the first objective alone among feasible trials. */
  readonly focusProbability?: number;
}

export type ResolvedEvolutionOptions = Required<EvolutionOptions>;

/**
 * Chosen on the made-up landscape of `test/agent/landscape.ts` at 30 and 60 trials over 80 seeds.
 * Fewer first samples fell behind random search there at 30 trials; larger tournaments found better
 * single trials and poorer fronts.
 */
export const EVOLUTION_DEFAULTS: ResolvedEvolutionOptions = {
  populationSize: 24,
  initialSamples: 16,
  tournamentSize: 12,
  crossoverProbability: 0.3,
  extraEditProbability: 0.5,
  focusProbability: 0.25,
};

const MAX_EDITS = 4;

/** Draws of a child before one that was seen already is proposed again. */
const MAX_TRIES = 20;

/** Mutations to choose from where there is a memory: few, so that luck keeps its part. */
const MUTATIONS = 4;

/** Mutations that follow the memory; the others go where it does not point. */
const MEMORY_SHARE = 0.5;

/** What was remembered serves until there are this many times as many trials to learn from. */
const RELEARN_FACTOR = 1.1;

/**
 * An agent that evolves what it was told. Failed trials never become parents. Where the problem comes
 * with remembered effects, it adds its own to them.
 */
export function createEvolutionAgent(problem: Problem, options: EvolutionOptions = {}): Agent {
  const resolved = { ...EVOLUTION_DEFAULTS, ...options };
  const seen = new Set<string>();
  const { remembered } = problem;
  const memory = remembered === undefined ? undefined : createGuess(problem, remembered);
  let population: Trial[] = [];
  return {
    name: 'evolution',
    observe(trial) {
      seen.add(JSON.stringify(trial.architecture));
      memory?.observe(trial);
      if (trial.state === 'failed') return;
      population = [...population, trial].slice(-resolved.populationSize);
    },
    propose(rng) {
      if (population.length < Math.max(1, resolved.initialSamples)) {
        return { architecture: problem.operators.sample(rng), operator: 'sample', parents: [] };
      }
      let child: Proposal;
      let tries = 0;
      do child = breed(population, problem, resolved, rng, memory?.expect());
      while (seen.has(JSON.stringify(child.architecture)) && ++tries < MAX_TRIES);
      return child;
    },
  };
}

function breed(
  population: readonly Trial[],
  problem: Problem,
  options: ResolvedEvolutionOptions,
  rng: Rng,
  expect: Expectation | undefined,
): Proposal {
  const { operators } = problem;
  const parent = select(population, problem, options, rng);
  const others = population.filter((trial) => trial !== parent);
  if (others.length > 0 && rng.uniform() < options.crossoverProbability) {
    const mate = select(others, problem, options, rng);
    const architecture: Json = operators.cross(parent.architecture, mate.architecture, rng);
    return { architecture, operator: 'crossover', parents: [parent.id, mate.id] };
  }
  let edits = 1;
  while (edits < MAX_EDITS && rng.uniform() < options.extraEditProbability) edits++;
  const mutate = () => operators.mutate(parent.architecture, rng, edits);
  const isRemembered = expect !== undefined && rng.uniform() < MEMORY_SHARE;
  const architecture = isRemembered ? pickByMemory(mutate, parent, problem, rng, expect) : mutate();
  return { architecture, operator: 'mutate', parents: [parent.id] };
}

/**
 * The most promising of a few mutations: by the limit that the parent breaks, else by one of the
 * objectives, drawn anew each time.
 */
function pickByMemory(
  mutate: () => Json,
  parent: Trial,
  { objectives }: Problem,
  rng: Rng,
  expect: Expectation,
): Json {
  const broken = parent.state === 'infeasible' ? parent.violations[0] : undefined;
  const { metric, direction } = broken === undefined ? rng.pick(objectives) : repairOf(broken);
  const promises = Array.from({ length: MUTATIONS }, mutate).map((architecture) => {
    const change = expect(parent.architecture, architecture, metric);
    return { architecture, gain: direction === 'maximize' ? change : -change };
  });
  return promises.reduce((best, one) => (one.gain > best.gain ? one : best)).architecture;
}

/** What brings a trial back within the limit that it broke. */
function repairOf({ metric, limit, actual }: Violation): Objective {
  return { metric, direction: actual < limit ? 'maximize' : 'minimize' };
}

/** Effects of an earlier run and of the trials told so far. */
function createGuess(problem: Problem, remembered: readonly Effect[]) {
  const context = { ...problem, choosing: problem.operators };
  const trials: Trial[] = [];
  let learned = 0;
  let guess: Expectation | undefined;
  return {
    observe(trial: Trial): void {
      trials.push(trial);
      if (trials.length < learned * RELEARN_FACTOR) return;
      learned = trials.length;
      guess = undefined;
    },
    /** Of the first `learned` trials, so that it does not matter when it is asked for. */
    expect(): Expectation {
      if (guess === undefined) {
        const known = trials.slice(0, learned);
        const own = effectsOf(findPairs(known, known, context), context);
        guess = expectationOf([...remembered, ...own], problem.operators);
      }
      return guess;
    },
  };
}

/** The winner of a tournament. */
function select(
  population: readonly Trial[],
  { objectives }: Problem,
  { tournamentSize, focusProbability }: ResolvedEvolutionOptions,
  rng: Rng,
): Trial {
  const isFocused = rng.uniform() < focusProbability;
  const ranked = rankTrials(population, isFocused ? objectives.slice(0, 1) : objectives);
  const contestants = new Set(rng.shuffle(population).slice(0, Math.max(1, tournamentSize)));
  return ranked.find((trial) => contestants.has(trial)) as Trial;
}
