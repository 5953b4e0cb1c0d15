/**
 * Strategies compared on published scores: every seed a search of its own (`queries.ts`), the best
 * feasible architecture by the guiding metric is its winner, and what is reported of the winner is
 * another metric, which no strategy sees.
 */
import type { Agent, Problem } from '../agent/agent.js';
import { hypervolume } from '../trial/hypervolume.js';
import { type Constraint, violationsOf } from '../trial/objective.js';
import type { Costs } from '../trial/pareto.js';
import { costsOf } from '../trial/rank.js';
import type { Json, Metrics, Trial } from '../trial/trial.js';
import { Rng } from '../util/random.js';
import { nameOf, runQueries } from './queries.js';

export interface TableBenchOptions {
  readonly problem: Problem;
  /** Metrics by architecture (itself where it is a word, else as JSON): the problem's, and `report`. */
  readonly scores: ReadonlyMap<string, Metrics>;
  /** Metric that is reported of winners; larger is better. */
  readonly report: string;
  readonly queries: number;
  readonly seeds: number;
  /** Of the first seed; the others follow. */
  readonly firstSeed: number;
}

/** A mean over seeds with its 95 % interval (normal, as there are many seeds). */
export interface SeedMean {
  readonly mean: number;
  readonly ci95: readonly [number, number];
  readonly stddev: number;
}

export interface TableBenchResult {
  /** Reported metric of the winner so far, after 1 … `queries` queries. */
  readonly curve: readonly SeedMean[];
  /** Seeds in which no feasible architecture was found. */
  readonly withoutWinner: number;
  /** Winners that break a constraint, by the scores themselves; anything but 0 is a fault. */
  readonly infeasibleWinners: number;
  /**
   * Dominated volume of the feasible trials in terms of the problem's objectives ÷ that of the whole
   * table; absent for a single objective.
   */
  readonly hypervolume?: SeedMean;
  /** Milliseconds of ask and tell together, a query's mean. */
  readonly askTellMs: number;
}

/** The best that the scores allow. */
export interface TableBounds {
  /** Largest reported metric of a feasible architecture. */
  readonly oracle: number;
  /** Reported metric of the feasible architecture that is best by the guide. */
  readonly bestByGuide: number;
  readonly feasible: number;
}

/** What can be reached at all. */
export function boundsOf({ problem, scores, report }: TableBenchOptions): TableBounds {
  const feasible = [...scores.values()].filter((m) => isFeasible(m, problem.constraints));
  const reports = feasible.map((metrics) => metrics[report] as number);
  const guided = feasible.reduce<Metrics | undefined>(
    (best, metrics) => (best === undefined || isBetter(metrics, best, problem) ? metrics : best),
    undefined,
  );
  return {
    oracle: reports.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
    bestByGuide: guided?.[report] ?? Number.NaN,
    feasible: feasible.length,
  };
}

/** Runs one strategy with all seeds. */
export function benchStrategy(
  create: (problem: Problem) => Agent,
  options: TableBenchOptions,
): TableBenchResult {
  const { problem, scores, report, queries, seeds, firstSeed } = options;
  const metricsOf = (architecture: Json) => scores.get(nameOf(architecture)) as Metrics;
  const guided = new Set(
    [...problem.objectives, ...problem.constraints].map(({ metric }) => metric),
  );
  const oracle = (architecture: Json): Metrics =>
    Object.fromEntries(
      Object.entries(metricsOf(architecture)).filter(([metric]) => guided.has(metric)),
    );
  const curves: number[][] = [];
  const volumes: number[] = [];
  const reference = worstOf(options);
  const whole = volumeOf([...scores.values()], problem, reference);
  let infeasibleWinners = 0;
  const start = performance.now();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const agent = create(problem);
    const { constraints } = problem;
    const trials = runQueries({ agent, oracle, constraints, queries, rng: new Rng(seed) });
    const winners = winnersOf(trials, problem);
    const last = winners.at(-1);
    if (last !== undefined && !isFeasible(metricsOf(last), constraints)) infeasibleWinners++;
    curves.push(
      winners.map((winner) =>
        winner === undefined ? Number.NaN : (metricsOf(winner)[report] as number),
      ),
    );
    const tried = trials.map(({ architecture }) => metricsOf(architecture));
    volumes.push(volumeOf(tried, problem, reference) / whole);
  }
  const seconds = (performance.now() - start) / 1e3;
  return {
    curve: Array.from({ length: queries }, (_, i) =>
      meanOver(curves.map((curve) => curve[i] as number)),
    ),
    withoutWinner: curves.filter((curve) => Number.isNaN(curve.at(-1))).length,
    infeasibleWinners,
    ...(problem.objectives.length > 1 && { hypervolume: meanOver(volumes) }),
    askTellMs: (1e3 * seconds) / (seeds * queries),
  };
}

/** Architecture of the best complete trial after each query. */
function winnersOf(trials: readonly Trial[], problem: Problem): (Json | undefined)[] {
  let best: Trial | undefined;
  return trials.map((trial) => {
    const isNew =
      trial.state === 'complete' &&
      (best === undefined || isBetter(trial.metrics, best.metrics, problem));
    if (isNew) best = trial;
    return best?.architecture;
  });
}

function isBetter(a: Metrics, b: Metrics, { objectives }: Problem): boolean {
  const first = objectives.slice(0, 1);
  return (costsOf(a, first)[0] as number) < (costsOf(b, first)[0] as number);
}

function isFeasible(metrics: Metrics, constraints: readonly Constraint[]): boolean {
  return violationsOf(metrics, constraints).length === 0;
}

/** The worst of the table in each objective. */
function worstOf({ problem, scores }: TableBenchOptions): Costs {
  return problem.objectives.map((objective) =>
    [...scores.values()].reduce(
      (worst, metrics) => Math.max(worst, costsOf(metrics, [objective])[0] as number),
      Number.NEGATIVE_INFINITY,
    ),
  );
}

/** Volume that the feasible ones dominate; not a number for a single objective. */
function volumeOf(tried: readonly Metrics[], problem: Problem, reference: Costs): number {
  const { objectives, constraints } = problem;
  if (objectives.length < 2) return Number.NaN;
  const feasible = tried.filter((metrics) => isFeasible(metrics, constraints));
  return hypervolume(
    feasible.map((metrics) => costsOf(metrics, objectives)),
    reference,
  );
}

/** Mean over the seeds that have a value. */
function meanOver(values: readonly number[]): SeedMean {
  const known = values.filter((value) => !Number.isNaN(value));
  const n = known.length;
  const mean = known.reduce((sum, value) => sum + value, 0) / n;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const stddev = n < 2 ? 0 : Math.sqrt(squares / (n - 1));
  const margin = (1.96 * stddev) / Math.sqrt(n);
  return { mean, ci95: [mean - margin, mean + margin], stddev };
}
