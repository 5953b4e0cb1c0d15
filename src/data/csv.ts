/** Tables of numbers as text: a line of column names, then a line for each row, commas between. */
import { UsageError } from '../errors.js';
import { type ArrayColumn, TARGET_COLUMN } from './arrays.js';

export interface CsvTable {
  readonly columns: readonly ArrayColumn[];
  /** Names in the column of targets, sorted, where they are no numbers. */
  readonly classes?: readonly string[];
}

/**
 * Reads a table for a model with these inputs. The column `target` is the target: numbers, or names of
 * classes. An only input gets all other columns in their order; one of several gets the column of its
 * name, or those that are called `<input>.<anything>`. Quoted cells are not read. Throws `UsageError`
 * with the line of what is wrong.
 */
export function readCsv(path: string, bytes: Uint8Array, inputs: readonly string[]): CsvTable {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  while (lines.at(-1)?.trim() === '') lines.pop();
  const names = (lines[0] ?? '').split(',').map((cell) => cell.trim());
  const rows = lines.slice(1).map((line, i) => {
    const cells = line.split(',').map((cell) => cell.trim());
    if (cells.length === names.length) return cells;
    throw new UsageError(
      `${path}:${i + 2}: expected ${names.length} cells, as in the first line, received ${cells.length}`,
    );
  });
  if (rows.length === 0) throw new UsageError(`${path}: expected rows of numbers, received none`);
  const numbers = (places: readonly number[]): Float32Array =>
    Float32Array.from(
      rows.flatMap((cells, i) =>
        places.map((place) => {
          const cell = cells[place] as string;
          const value = cell === '' ? Number.NaN : Number(cell);
          if (Number.isFinite(value)) return value;
          throw new UsageError(
            `${path}:${i + 2}: expected a number in column ${names[place]}, received ${cell || 'nothing'}`,
          );
        }),
      ),
    );
  const columns = inputs.map((input): ArrayColumn => {
    const places = placesOf(names, input, inputs.length === 1);
    if (places.length === 0) {
      throw new UsageError(
        `${path}: expected columns ${input} or ${input}.… for that input of the model, ` +
          `received ${names.join(', ')}`,
      );
    }
    return { name: input, dtype: 'float32', rowDims: [places.length], data: numbers(places) };
  });
  const target = names.indexOf(TARGET_COLUMN);
  if (target < 0 || inputs.includes(TARGET_COLUMN)) return { columns };
  const cells = rows.map((row) => row[target] as string);
  if (cells.every((cell) => cell !== '' && Number.isFinite(Number(cell)))) {
    const data = numbers([target]);
    return { columns: [...columns, { name: TARGET_COLUMN, dtype: 'float32', rowDims: [], data }] };
  }
  const classes = [...new Set(cells)].sort();
  const data = Int32Array.from(cells, (cell) => classes.indexOf(cell));
  return {
    columns: [...columns, { name: TARGET_COLUMN, dtype: 'int32', rowDims: [], data }],
    classes,
  };
}

function placesOf(names: readonly string[], input: string, isOnly: boolean): number[] {
  return names.flatMap((name, place) => {
    const fits = isOnly ? name !== TARGET_COLUMN : name === input || name.startsWith(`${input}.`);
    return fits ? [place] : [];
  });
}
