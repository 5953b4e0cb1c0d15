/**
 * Strategies compared on published scores: every seed a search of its own (`queries.ts`), the best
 * feasible architecture by the guiding metric is its winner, and what is reported of the winner is
 * another metric, which no strategy sees.
 */
import type { Agent, Problem } from '../agent/agent.js';
import type { Objective } from '../trial/objective.js';
import type { Json, Metrics, Trial } from '../trial/trial.js';
import { Rng } from '../util/random.js';
import { nameOf, runQueries } from './queries.js';
import {
  boundsOf,
  type CurvePoint,
  createScorer,
  isBetter,
  isFeasible,
  meanCurve,
  type TableScoring,
} from './table-curves.js';

export interface TableBenchOptions {
  /** The winner is the best by the first objective. */
  readonly problem: Problem;
  readonly scores: TableScoring['scores'];
  readonly report: string;
  readonly plane?: readonly Objective[];
  readonly queries: number;
  readonly seeds: number;
  /** Of the first seed; the others follow. */
  readonly firstSeed: number;
}

/** One search. */
export interface TableRun {
  readonly seed: number;
  /** Architectures in the order that they were asked for. */
  readonly queried: readonly Json[];
  /** What the search takes for the best; absent where it found nothing feasible. */
  readonly winner?: Json;
}

export interface TableBenchResult {
  /** After 1 … `queries` queries. */
  readonly curve: readonly CurvePoint[];
  /** Searches in which no feasible architecture was found. */
  readonly withoutWinner: number;
  /** Winners that break a constraint, by the scores themselves; anything but 0 is a fault. */
  readonly infeasibleWinners: number;
}

/** How the searches of a bench are scored. */
export function scoringOf({ problem, scores, report, plane }: TableBenchOptions): TableScoring {
  const { constraints, objectives } = problem;
  const guide = objectives[0] as Objective;
  return { scores, constraints, guide, report, ...(plane !== undefined && { plane }) };
}

/** Runs one strategy with one seed. */
export function runTableSearch(
  create: (problem: Problem) => Agent,
  { problem, scores, queries }: TableBenchOptions,
  seed: number,
): TableRun {
  const { objectives, constraints } = problem;
  const seen = new Set([...objectives, ...constraints].map(({ metric }) => metric));
  const oracle = (architecture: Json): Metrics => {
    const metrics = scores.get(nameOf(architecture)) as Metrics;
    return Object.fromEntries(Object.entries(metrics).filter(([metric]) => seen.has(metric)));
  };
  const agent = create(problem);
  const trials = runQueries({ agent, oracle, constraints, queries, rng: new Rng(seed) });
  const winner = winnerOf(trials, objectives[0] as Objective);
  const queried = trials.map(({ architecture }) => architecture);
  return { seed, queried, ...(winner !== undefined && { winner }) };
}

/** What searches of the same length came to. */
export function summarize(runs: readonly TableRun[], scoring: TableScoring): TableBenchResult {
  const scorer = createScorer(scoring);
  const winners = runs.flatMap(({ winner }) => (winner === undefined ? [] : [winner]));
  const breaks = (winner: Json) =>
    !isFeasible(scoring.scores.get(nameOf(winner)) as Metrics, scoring.constraints);
  return {
    curve: meanCurve(
      runs.map(({ queried }) => scorer(queried)),
      boundsOf(scoring),
    ),
    withoutWinner: runs.length - winners.length,
    infeasibleWinners: winners.filter(breaks).length,
  };
}

/** Runs one strategy with all seeds. */
export function benchStrategy(
  create: (problem: Problem) => Agent,
  options: TableBenchOptions,
): TableBenchResult & {
  /** Of ask and tell together, a query's mean. */ readonly askTellMs: number;
} {
  const { queries, seeds, firstSeed } = options;
  const start = performance.now();
  const runs = Array.from({ length: seeds }, (_, i) =>
    runTableSearch(create, options, firstSeed + i),
  );
  const askTellMs = (performance.now() - start) / (seeds * queries);
  return { ...summarize(runs, scoringOf(options)), askTellMs };
}

/** Architecture of the best complete trial. */
function winnerOf(trials: readonly Trial[], guide: Objective): Json | undefined {
  const complete = trials.filter(({ state }) => state === 'complete');
  if (complete.length === 0) return undefined;
  return complete.reduce((best, trial) =>
    isBetter(trial.metrics, best.metrics, guide) ? trial : best,
  ).architecture;
}
