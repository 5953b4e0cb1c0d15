/** Published or own scores, as a search space and what is known of its points. */
import { UsageError } from '../errors.js';
import { decisionColumns, keyOf, oneColumn } from '../evaluate/table/architectures.js';
import { GUIDE, LATENCY, REPORT, SECONDS } from '../evaluate/table/evaluator.js';
import {
  type AccuracyUnit,
  joinScores,
  type MetricSource,
  type Scores,
} from '../evaluate/table/scores.js';
import { columnOf, readTable, type Table } from '../evaluate/table/table.js';
import { createColumnsSpace, type Row } from '../space/columns.js';
import { createListedSpace } from '../space/listed.js';
import type { Space } from '../space/space.js';
import type { Json } from '../trial/trial.js';
import { ANY_TASK, createSpace, type SpaceChoice } from './spaces.js';

/** Which table, and what its columns are. */
export interface TableSpec {
  readonly file: string;
  readonly columns: {
    /** Column with the architecture, where the space is a known one. */
    readonly arch: string;
    /** Column that joins tables of which one does not name the architecture. */
    readonly index: string;
  };
  /** Column that guides the search; larger is better. */
  readonly guide: string;
  /** Column that is reported of winners. */
  readonly report: string;
  /** `file:column`, or a column of the table itself. */
  readonly latency?: string | undefined;
  /** Column with the seconds that a training took. */
  readonly seconds?: string | undefined;
  /** Of guide and report; absent where they are taken as they are. */
  readonly unit?: AccuracyUnit;
}

/** What columns are called unless something else is said. */
export const DEFAULT_COLUMNS: TableSpec['columns'] = { arch: 'arch', index: 'index' };

export interface OpenTable {
  readonly space: Space<Json>;
  readonly scores: Scores;
}

/** Reads a table and what it is joined with. Throws `UsageError`: one line with file and place. */
export function openTable(spec: TableSpec, given: SpaceChoice): OpenTable {
  const { columns, unit, latency, seconds } = spec;
  const table = readTable(spec.file);
  const accuracy = { table, ...(unit !== undefined && { unit }) };
  const sources: MetricSource[] = [
    { ...accuracy, metric: GUIDE, column: spec.guide },
    { ...accuracy, metric: REPORT, column: spec.report },
    ...(latency === undefined ? [] : [latencySource(latency, table)]),
    ...(seconds === undefined ? [] : [{ metric: SECONDS, table, column: seconds }]),
  ];
  const join = (architecture: Parameters<typeof joinScores>[2]['architecture']) =>
    joinScores(table, sources, { architecture, index: columns.index });
  if (given.kind === 'columns') {
    const scores = join(decisionColumns(given.decisions));
    const space = createColumnsSpace(given.decisions, scores.architectures as readonly Row[]);
    return { space: space as unknown as Space<Json>, scores };
  }
  if (!table.columns.includes(columns.arch)) {
    throw new UsageError(
      `${table.file}: expected a column ${columns.arch} with architectures, received ` +
        `${table.columns.join(', ')}; columns: arch says which one it is`,
    );
  }
  const space = createSpace(given.kind, ANY_TASK);
  const scores = join(oneColumn(columns.arch, space));
  const isWhole = space.list?.().every((point) => scores.metrics.has(keyOf(point))) ?? false;
  return { space: isWhole ? space : createListedSpace(space, scores.architectures), scores };
}

function latencySource(text: string, main: Table): MetricSource {
  if (main.columns.includes(text)) return { metric: LATENCY, table: main, column: text };
  const at = text.lastIndexOf(':');
  if (at <= 0) {
    throw new UsageError(
      `latency: expected file:column or a column of ${main.file} (${main.columns.join(', ')}), received ${text}`,
    );
  }
  const table = readTable(text.slice(0, at));
  const column = text.slice(at + 1);
  columnOf(table, column);
  return { metric: LATENCY, table, column };
}
