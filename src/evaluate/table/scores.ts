/** Scores of architectures put together from tables. */
import { UsageError } from '../../errors.js';
import type { Metrics } from '../../trial/trial.js';
import { columnOf, type Table, valuesBy } from './table.js';

/** A column of a table under the name of a metric. */
export interface MetricSource {
  readonly metric: string;
  readonly table: Table;
  readonly column: string;
}

/** Column with the architecture, and the one that joins tables without it. */
const ARCHITECTURE = 'arch';
const INDEX = 'index';

/** Metrics by architecture. */
export type Scores = ReadonlyMap<string, Metrics>;

/**
 * Joins the sources: by architecture where a table names it, else by index through `main`, which has
 * both. Architectures that one of the tables lacks are an error: a score that is missing is none.
 */
export function joinScores(
  main: Table,
  sources: readonly MetricSource[],
  architecture: string = ARCHITECTURE,
): Scores {
  const names = main.rows.map((row) => String(row[columnOf(main, architecture)]));
  const columns = sources.map(({ metric, table, column }) => {
    const byName = table.columns.includes(architecture);
    const key = byName ? architecture : INDEX;
    const values = valuesBy(table, key, column);
    const keys = byName ? names : main.rows.map((row) => String(row[columnOf(main, INDEX)]));
    return { metric, table, values, keys };
  });
  return new Map(
    names.map((name, i) => {
      const metrics = columns.map(({ metric, table, values, keys }) => {
        const value = values.get(keys[i] as string);
        if (value === undefined) {
          throw new UsageError(`${table.file}: expected a row for ${name}, received none`);
        }
        return [metric, value] as const;
      });
      return [name, Object.fromEntries(metrics)];
    }),
  );
}
