/**
 * What searches on published scores come to, query by query: the incumbent by feasibility first and the
 * guide second, what is reported of it, and the volume that the feasible architectures dominate. It
 * needs the order of the architectures alone, so searches by other programs are scored alike.
 */
import { hypervolume } from '../trial/hypervolume.js';
import { type Constraint, type Objective, violationsOf } from '../trial/objective.js';
import { type Costs, dominates } from '../trial/pareto.js';
import { costsOf } from '../trial/rank.js';
import type { Json, Metrics } from '../trial/trial.js';
import { Z95 } from './interval.js';
import { nameOf } from './queries.js';

/** How searches are scored. */
export interface TableScoring {
  /** Metrics by architecture (itself where it is a word, else as JSON): what is named below. */
  readonly scores: ReadonlyMap<string, Metrics>;
  readonly constraints: readonly Constraint[];
  /** The incumbent is the best by it. */
  readonly guide: Objective;
  /** Metric that is reported of incumbents; larger is better. */
  readonly report: string;
  /** Objectives whose dominated volume is followed; absent where there is but one. */
  readonly plane?: readonly Objective[];
}

/** The best that the scores allow. */
export interface TableBounds {
  /** Largest reported metric of a feasible architecture. */
  readonly oracle: number;
  /** Reported metric of the feasible architecture that is best by the guide. */
  readonly bestByGuide: number;
  /** Guiding metric of the same. */
  readonly bestGuide: number;
  readonly feasible: number;
}

/** One search after each of its queries; not a number while there is no incumbent. */
export interface RunCurves {
  readonly reported: readonly number[];
  readonly guided: readonly number[];
  /** Volume that the feasible ones so far dominate ÷ that of the whole table. */
  readonly hypervolume?: readonly number[];
  readonly incumbent: Json | undefined;
}

/** A mean over seeds with its 95 % interval: normal, 1.96 standard errors to either side. */
export interface SeedMean {
  readonly mean: number;
  readonly ci95: readonly [number, number];
  readonly stddev: number;
}

/** All searches of a strategy after so many queries; the mean of what is reported stands bare. */
export interface CurvePoint extends SeedMean {
  readonly queries: number;
  /** Searches that have an incumbent; means of its metrics are over these. */
  readonly found: number;
  /** What the best reported metric is ahead of the mean, with the ends of its interval. */
  readonly regret: number;
  readonly regretCi95: readonly [number, number];
  /** The same against the architecture that is best by the guide. */
  readonly regretToBestByGuide: number;
  /** Guiding metric of the incumbent. */
  readonly guided: SeedMean;
  readonly hypervolume?: SeedMean;
}

/** What can be reached at all. */
export function boundsOf({ scores, constraints, guide, report }: TableScoring): TableBounds {
  const feasible = [...scores.values()].filter((metrics) => isFeasible(metrics, constraints));
  const guided = feasible.reduce<Metrics | undefined>(
    (best, metrics) => (best === undefined || isBetter(metrics, best, guide) ? metrics : best),
    undefined,
  );
  return {
    oracle: feasible.reduce(
      (most, metrics) => Math.max(most, metrics[report] as number),
      Number.NEGATIVE_INFINITY,
    ),
    bestByGuide: guided?.[report] ?? Number.NaN,
    bestGuide: guided?.[guide.metric] ?? Number.NaN,
    feasible: feasible.length,
  };
}

/** A function that scores a search by the architectures it asked for, in their order. */
export function createScorer(scoring: TableScoring): (queried: readonly Json[]) => RunCurves {
  const { scores, constraints, guide, report, plane } = scoring;
  const follow = plane === undefined ? undefined : createVolume(scoring, plane);
  return (queried) => {
    let incumbent: Json | undefined;
    let best: Metrics | undefined;
    const volume = follow?.();
    const reported: number[] = [];
    const guided: number[] = [];
    const volumes: number[] = [];
    for (const architecture of queried) {
      const metrics = scores.get(nameOf(architecture)) as Metrics;
      const holds = isFeasible(metrics, constraints);
      if (holds && (best === undefined || isBetter(metrics, best, guide))) {
        best = metrics;
        incumbent = architecture;
      }
      reported.push(best?.[report] ?? Number.NaN);
      guided.push(best?.[guide.metric] ?? Number.NaN);
      if (volume !== undefined) volumes.push(volume(holds ? metrics : undefined));
    }
    return { reported, guided, ...(volume !== undefined && { hypervolume: volumes }), incumbent };
  };
}

/** Means over searches of the same length. */
export function meanCurve(runs: readonly RunCurves[], bounds: TableBounds): CurvePoint[] {
  const [first] = runs;
  return (first?.reported ?? []).map((_, i) => {
    const at = (curve: 'reported' | 'guided' | 'hypervolume') =>
      meanOver(runs.map((run) => run[curve]?.[i] as number));
    const reported = at('reported');
    const [low, high] = reported.ci95;
    return {
      queries: i + 1,
      found: runs.filter((run) => !Number.isNaN(run.reported[i])).length,
      ...reported,
      regret: bounds.oracle - reported.mean,
      regretCi95: [bounds.oracle - high, bounds.oracle - low],
      regretToBestByGuide: bounds.bestByGuide - reported.mean,
      guided: at('guided'),
      ...(first?.hypervolume !== undefined && { hypervolume: at('hypervolume') }),
    };
  });
}

export function isFeasible(metrics: Metrics, constraints: readonly Constraint[]): boolean {
  return violationsOf(metrics, constraints).length === 0;
}

/** Whether `a` is better than `b` by one objective. */
export function isBetter(a: Metrics, b: Metrics, objective: Objective): boolean {
  return (costsOf(a, [objective])[0] as number) < (costsOf(b, [objective])[0] as number);
}

/**
 * Makes, for each search anew, a function that takes its queries in turn and tells the volume so far.
 * Volumes reach from the worst of the table, or a limit where there is one.
 */
function createVolume({ scores, constraints }: TableScoring, plane: readonly Objective[]) {
  const all = [...scores.values()];
  const reference = plane.map((objective) => {
    const { metric, direction } = objective;
    const max = constraints.find((each) => each.metric === metric)?.max;
    if (direction === 'minimize' && max !== undefined) return max;
    return all.reduce(
      (worst, metrics) => Math.max(worst, costsOf(metrics, [objective])[0] as number),
      Number.NEGATIVE_INFINITY,
    );
  });
  const feasible = all.filter((metrics) => isFeasible(metrics, constraints));
  const whole = hypervolume(frontOf(feasible, plane), reference);
  return () => {
    let front: Costs[] = [];
    let share = 0;
    return (metrics: Metrics | undefined): number => {
      if (metrics === undefined) return share;
      const point = costsOf(metrics, plane);
      if (front.some((one) => dominates(one, point))) return share;
      front = [...front.filter((one) => !dominates(point, one)), point];
      share = hypervolume(front, reference) / whole;
      return share;
    };
  };
}

/** The non-dominated ones of very many, each of which is compared with those found so far alone. */
function frontOf(all: readonly Metrics[], plane: readonly Objective[]): Costs[] {
  let front: Costs[] = [];
  for (const metrics of all) {
    const point = costsOf(metrics, plane);
    if (front.some((one) => dominates(one, point))) continue;
    front = [...front.filter((one) => !dominates(point, one)), point];
  }
  return front;
}

/** Mean over the searches that have a value. */
function meanOver(values: readonly number[]): SeedMean {
  const known = values.filter((value) => !Number.isNaN(value));
  const n = known.length;
  const mean = known.reduce((sum, value) => sum + value, 0) / n;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const stddev = n < 2 ? 0 : Math.sqrt(squares / (n - 1));
  const margin = (Z95 * stddev) / Math.sqrt(n);
  return { mean, ci95: [mean - margin, mean + margin], stddev };
}
