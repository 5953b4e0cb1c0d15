/** Scores of architectures put together from tables. */
import { UsageError } from '../../errors.js';
import type { Json, Metrics } from '../../trial/trial.js';
import {
  type ArchitectureColumns,
  keyOf,
  readArchitectures,
  requireDistinct,
} from './architectures.js';
import { columnOf, numberAt, placeOf, type Table } from './table.js';

/** Units of accuracies in a table. */
export const accuracyUnits = ['share', 'percent'] as const;
export type AccuracyUnit = (typeof accuracyUnits)[number];

/** A column of a table under the name of a metric. */
export interface MetricSource {
  readonly metric: string;
  readonly table: Table;
  readonly column: string;
  /** Given for accuracies, which come out as shares; other numbers are taken as they are. */
  readonly unit?: AccuracyUnit;
}

/** What names the rows. */
export interface RowNames {
  readonly architecture: ArchitectureColumns;
  /** Column that joins tables which don't name the architecture. */
  readonly index: string;
}

export interface Scores {
  /** In the order of the main table. */
  readonly architectures: readonly Json[];
  /** Metrics by `keyOf` an architecture. */
  readonly metrics: ReadonlyMap<string, Metrics>;
}

/**
 * Joins the sources: by architecture where a table names it, else by index through `main`, which has
 * both. Architectures that one of the tables lacks are an error: a score that is missing is none.
 */
export function joinScores(main: Table, sources: readonly MetricSource[], names: RowNames): Scores {
  const architectures = readArchitectures(main, names.architecture);
  const keys = architectures.map(keyOf);
  const columns = sources.map((source) => {
    const { table } = source;
    columnOf(table, source.column);
    if (table === main) return main.rows.map((_, row) => metricAt(source, row));
    const rows = rowsByMain(main, table, keys, names);
    return rows.map((row) => metricAt(source, row));
  });
  const metrics = keys.map((key, i) => {
    const values = sources.map(({ metric }, s) => [metric, columns[s]?.[i] as number] as const);
    return [key, Object.fromEntries(values)] as const;
  });
  return { architectures, metrics: new Map(metrics) };
}

/** The row of `table` for each row of `main`. */
function rowsByMain(
  main: Table,
  table: Table,
  keys: readonly string[],
  { architecture, index }: RowNames,
): readonly number[] {
  const isNamed = architecture.names.every((name) => table.columns.includes(name));
  const numbersOf = (one: Table) => one.rows.map((row) => String(row[columnOf(one, index)]));
  const theirs = isNamed ? readArchitectures(table, architecture).map(keyOf) : numbersOf(table);
  if (!isNamed) requireDistinct(table, theirs);
  const ours = isNamed ? keys : numbersOf(main);
  const rows = new Map(theirs.map((key, row) => [key, row]));
  return ours.map((key, i) => {
    const row = rows.get(key);
    if (row !== undefined) return row;
    throw new UsageError(
      `${table.file}: expected a row for ${keys[i]} (${placeOf(main, i)}), received none`,
    );
  });
}

function metricAt({ table, column, unit }: MetricSource, row: number): number {
  const value = numberAt(table, row, column);
  if (unit === undefined) return value;
  const most = unit === 'percent' ? 100 : 1;
  if (value >= 0 && value <= most) return value / most;
  const advice = unit === 'share' && value <= 100 ? '; is its unit percent?' : '';
  throw new UsageError(
    `${placeOf(table, row)}, column ${column}: expected an accuracy from 0 to ${most}, ` +
      `received ${value}${advice}`,
  );
}
