/** How the rows of a table name architectures. */
import { ArchwrightError, errorMessage, UsageError } from '../../errors.js';
import type { Space } from '../../space/space.js';
import type { Json } from '../../trial/trial.js';
import { type Cell, columnOf, placeOf, type Table } from './table.js';

/** Columns that name an architecture, and what they name. */
export interface ArchitectureColumns {
  readonly names: readonly string[];
  /** @throws ArchwrightError for what names none. */
  read(cells: readonly Cell[]): Json;
}

/** One column, with points of a space: as they are where those are words, else as JSON. */
export function oneColumn(name: string, space: Pick<Space<Json>, 'parse'>): ArchitectureColumns {
  return {
    names: [name],
    read: ([cell]) => space.parse(typeof cell === 'string' ? readText(cell) : cell),
  };
}

function readText(text: string): unknown {
  if (!/^\s*[{["]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`expected an architecture as JSON, received ${errorMessage(error)}`);
  }
}

/** A column for each decision; the architecture is the object of their values. */
export function decisionColumns(names: readonly string[]): ArchitectureColumns {
  return {
    names,
    read: (cells) =>
      Object.fromEntries(
        names.map((name, i) => {
          const cell = cells[i] ?? null;
          if (cell !== null) return [name, cell];
          throw new UsageError(`column ${name}: expected a number or a word, received nothing`);
        }),
      ),
  };
}

/** Text that is the same for the same architecture. */
export function keyOf(architecture: Json): string {
  return typeof architecture === 'string' ? architecture : JSON.stringify(architecture);
}

/**
 * The architecture of each row. Throws `UsageError` with file and line for a row that names none, and
 * for one that another names as well.
 */
export function readArchitectures(table: Table, columns: ArchitectureColumns): readonly Json[] {
  const at = columns.names.map((name) => columnOf(table, name));
  const architectures = table.rows.map((row, i) => {
    try {
      return columns.read(at.map((column) => row[column] ?? null));
    } catch (error) {
      if (!(error instanceof ArchwrightError)) throw error;
      throw new UsageError(`${placeOf(table, i)}: ${error.message}`, { cause: error });
    }
  });
  requireDistinct(table, architectures.map(keyOf));
  return architectures;
}

/** Throws `UsageError` for the first row with a key that an earlier one has. */
export function requireDistinct(table: Table, keys: readonly string[]): void {
  const first = new Map<string, number>();
  for (const [row, key] of keys.entries()) {
    const earlier = first.get(key);
    if (earlier !== undefined) {
      throw new UsageError(
        `${placeOf(table, row)}: expected each architecture once, received again that of ` +
          `${placeOf(table, earlier)}, ${key}`,
      );
    }
    first.set(key, row);
  }
}
