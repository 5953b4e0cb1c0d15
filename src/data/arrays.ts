/**
 * Rows of any kind: an array for each input of a model, and one of targets. From a folder of NumPy
 * files, one per array, or from a CSV file. Rows are cut at random into the three splits.
 */
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { Rng } from '../util/random.js';
import { arrayTypes, type ElementType, elementCount, type TensorData } from '../util/tensor.js';
import { readCsv } from './csv.js';
import type { SplitOptions } from './data.js';
import { listFolder, readBytes } from './files.js';
import { decodeNpy } from './npy.js';

/** One array [count, …rowDims]. */
export interface ArrayColumn {
  /** Input of the model, or `target`. */
  readonly name: string;
  readonly dtype: ElementType;
  readonly rowDims: readonly number[];
  readonly data: TensorData;
}

/** Columns of equal length. */
export interface ArraySplit {
  readonly count: number;
  readonly columns: readonly ArrayColumn[];
}

export interface ArrayDataset {
  readonly name: string;
  /** Names of the classes, where the file has them. */
  readonly classes?: readonly string[];
  readonly train: ArraySplit;
  readonly search: ArraySplit;
  readonly hidden: ArraySplit;
}

/** Name of the array of targets. */
export const TARGET_COLUMN = 'target';
/** Share of the rows that the search split and the hidden split get each. */
const HELD_OUT = 0.15;

/**
 * Reads the columns for a model with these inputs: `<input>.npy` of a folder (slashes and colons in
 * names as `_`), or a CSV file. `target` is optional. Throws `UsageError`, in one line, on what is
 * missing or broken.
 */
export async function loadArrays(
  path: string,
  inputs: readonly string[],
  options: SplitOptions = {},
): Promise<ArrayDataset> {
  if (path.endsWith('.csv')) {
    const { columns, classes } = readCsv(path, await readBytes(path), inputs);
    return splitRows(path, columns, options, classes);
  }
  const files = await listFolder(path);
  const columns: ArrayColumn[] = [];
  for (const name of [...inputs, TARGET_COLUMN]) {
    const file = `${name.replaceAll(/[/\\:]/g, '_')}.npy`;
    if (!files.includes(file)) {
      if (name === TARGET_COLUMN) continue;
      const found = files.filter((one) => one.endsWith('.npy')).join(', ');
      throw new UsageError(
        `${path}: expected ${file} for input ${name} of the model, found ${found || 'no .npy file'}`,
      );
    }
    if (columns.some((one) => one.name === name)) continue;
    const { dtype, dims, data } = decodeNpy(file, await readBytes(join(path, file)));
    columns.push({ name, dtype, data, rowDims: dims.slice(1) });
  }
  return splitRows(path, columns, options);
}

/** The rows shuffled by the seed and cut: search, hidden, and what is left to train on. */
function splitRows(
  path: string,
  columns: readonly ArrayColumn[],
  { seed = 0, ...sizes }: SplitOptions,
  classes?: readonly string[],
): ArrayDataset {
  const counts = columns.map(({ data, rowDims }) => data.length / elementCount(rowDims));
  const [count = 0] = counts;
  columns.forEach(({ name }, i) => {
    if (counts[i] === count) return;
    throw new UsageError(
      `${path}: expected ${count} rows in every array, received ${counts[i]} in ${name}`,
    );
  });
  const held = Math.max(1, Math.round(HELD_OUT * count));
  const { search = held, hidden = held } = sizes;
  const train = sizes.train ?? count - search - hidden;
  if (train < 1 || search < 1 || hidden < 1 || train + search + hidden > count) {
    throw new UsageError(
      `${path}: expected rows for three splits of ${train}, ${search} and ${hidden}, received ${count}`,
    );
  }
  const order = new Rng(seed)
    .fork('data/arrays')
    .shuffle(Array.from({ length: count }, (_, i) => i));
  const part = (from: number, size: number) => takeRows(columns, order.slice(from, from + size));
  return {
    name: path,
    ...(classes && { classes }),
    search: part(0, search),
    hidden: part(search, hidden),
    train: part(search + hidden, train),
  };
}

function takeRows(columns: readonly ArrayColumn[], rows: readonly number[]): ArraySplit {
  return {
    count: rows.length,
    columns: columns.map((column) => {
      const length = elementCount(column.rowDims);
      const data = new arrayTypes[column.dtype](rows.length * length);
      rows.forEach((row, i) => {
        const values = column.data.subarray(row * length, (row + 1) * length);
        (data as Float32Array).set(values as Float32Array, i * length);
      });
      return { ...column, data };
    }),
  };
}
