/** Linear maps along one axis, the same for all others: interpolation, mirrored padding, their transposes. */
import { elementCount } from '../../util/tensor.js';
import { type NodeContext, range } from './node-context.js';

/** Row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** A matrix from its non-zero elements [row, column, value]; those that meet are added. */
export function sparseMatrix(
  rows: number,
  columns: number,
  elements: Iterable<readonly [number, number, number]>,
): Matrix {
  const data = new Float64Array(rows * columns);
  for (const [row, column, value] of elements) {
    data[row * columns + column] = (data[row * columns + column] as number) + value;
  }
  return { rows, columns, data };
}

/** `value` with y[i] = Σⱼ matrix[i,j]·x[j] along `axis`. */
export function mixAxis(c: NodeContext, value: string, axis: number, matrix: Matrix): string {
  const dims = c.dims(value);
  const { rows, columns } = matrix;
  const [before, after] = [elementCount(dims.slice(0, axis)), elementCount(dims.slice(axis + 1))];
  const result = dims.with(axis, rows);
  const factor = factorOf(matrix);
  if (factor > 0) {
    const blocks = c.reshape(value, [before, rows, factor, after]);
    return c.reshape(c.reduceSum(blocks, [2]), result);
  }
  if (after === 1) {
    const right = c.tensor([columns, rows], elementsOf(matrix, true), value);
    return c.reshape(c.op('MatMul', [c.reshape(value, [before, columns]), right]), result);
  }
  const left = c.tensor([rows, columns], elementsOf(matrix, false), value);
  return c.reshape(c.op('MatMul', [left, c.reshape(value, [before, columns, after])]), result);
}

/** f where each row is the plain sum of its own f columns (nearest neighbour, whole factor), else 0. */
function factorOf({ rows, columns, data }: Matrix): number {
  const factor = columns / rows;
  if (!Number.isInteger(factor)) return 0;
  const isSum = data.every((value, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    return value === (Math.floor(column / factor) === row ? 1 : 0);
  });
  return isSum ? factor : 0;
}

/** The matrix, row-major, or its transpose. */
function elementsOf({ rows, columns, data }: Matrix, transposed: boolean): number[] {
  if (!transposed) return Array.from(data);
  return range(rows * columns).map(
    (i) => data[(i % rows) * columns + Math.floor(i / rows)] as number,
  );
}
