/**
 * What trials teach, sorted by what is learned from it: objectives, each limit, failure. A lane keeps
 * the rows that the next fit may use.
 */
import { costsOf } from '../../trial/rank.js';
import type { Trial } from '../../trial/trial.js';
import type { Problem } from '../agent.js';
import { chooseRows, type Row, type Task } from './rows.js';
import {
  type Bound,
  boundsOf,
  type CostRow,
  marginTargets,
  objectiveTargets,
  scalarisedRows,
} from './targets.js';

/** A trial that tells of the objectives. */
export interface ScoredRow extends Row, CostRow {
  readonly trial: Trial;
}

/** A value of a metric that has a limit. */
export interface LimitRow extends Row {
  readonly value: number;
}

export interface FailureRow extends Row {
  /** 1 for a failed trial. */
  readonly failed: number;
}

export class Lane<R extends Row> {
  readonly task: Task<R>;
  /** The row of a trial at a point, where it tells something. */
  readonly rowOf: (trial: Trial, point: Float64Array) => R | undefined;
  #rows: R[] = [];

  constructor(task: Task<R>, rowOf: Lane<R>['rowOf']) {
    this.task = task;
    this.rowOf = rowOf;
  }

  get rows(): readonly R[] {
    return this.#rows;
  }

  add(trial: Trial, point: Float64Array): void {
    const row = this.rowOf(trial, point);
    if (row !== undefined) this.#rows.push(row);
  }

  /** Forgets what there is too much of. */
  choose(): void {
    this.#rows = [...chooseRows(this.#rows, this.task.importance)];
  }
}

/** By several sets of weights, since asks weigh the objectives in ever new ways. */
export function objectiveLane({ objectives }: Problem): Lane<ScoredRow> {
  const kinds = weightings(objectives.length);
  return new Lane(
    {
      fitTargets: (rows) => kinds.map((weights) => objectiveTargets(rows, weights)),
      importance: (rows) => {
        const orders = kinds.map((weights) => scalarisedRows(rows, weights));
        return rows.map((_, i) => Math.min(...orders.map((each) => each[i] as number)));
      },
    },
    (trial, point) => {
      // Else it would stay unknown how good they are, and the unknown is worth trying.
      if (trial.state === 'failed' || trial.state === 'pruned') {
        return { trial, point, costs: undefined };
      }
      const isWhole = objectives.every(({ metric }) => trial.metrics[metric] !== undefined);
      return isWhole ? { trial, point, costs: costsOf(trial.metrics, objectives) } : undefined;
    },
  );
}

/** A limit on a metric. */
export interface LimitLane extends Lane<LimitRow> {
  readonly bound: Bound;
}

/** One for each side of each constraint. */
export function limitLanes({ constraints }: Problem): LimitLane[] {
  return constraints.flatMap((constraint) =>
    boundsOf(constraint).map((bound) => {
      const lane = new Lane<LimitRow>(
        {
          fitTargets: (rows) => [marginsOf(rows, bound)],
          importance: (rows) => marginsOf(rows, bound).map(Math.abs),
        },
        (trial, point) => {
          const value = trial.state === 'failed' ? undefined : trial.metrics[constraint.metric];
          return value !== undefined && Number.isFinite(value) ? { point, value } : undefined;
        },
      );
      return Object.assign(lane, { bound });
    }),
  );
}

export function failureLane(): Lane<FailureRow> {
  return new Lane(
    {
      fitTargets: (rows) => [rows.map(({ failed }) => failed)],
      importance: (rows) => rows.map(({ failed }) => -failed),
    },
    ({ state }, point) => ({ point, failed: Number(state === 'failed') }),
  );
}

export function marginsOf(rows: readonly LimitRow[], bound: Bound): number[] {
  return marginTargets(
    rows.map(({ value }) => value),
    bound,
  );
}

/** Each objective alone, and where there are several all alike. */
export function weightings(objectives: number): number[][] {
  const alone = Array.from({ length: objectives }, (_, d) =>
    Array.from({ length: objectives }, (_, e) => Number(d === e)),
  );
  return objectives === 1 ? alone : [...alone, new Array<number>(objectives).fill(1 / objectives)];
}
