/**
 * The little dense linear algebra that the predictors need: tens of columns, up to some hundred
 * samples. Matrices are arrays of rows.
 */
import { InternalError } from '../../errors.js';

export type Vector = Float64Array;
export type Matrix = readonly Vector[];

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** A · Aᵀ. */
export function rowProducts(a: Matrix): Vector[] {
  const result = a.map(() => new Float64Array(a.length));
  a.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      const value = dot(row, a[j] as Vector);
      (result[i] as Vector)[j] = value;
      (result[j] as Vector)[i] = value;
    }
  });
  return result;
}

export function transpose(a: Matrix): Vector[] {
  const columns = a[0]?.length ?? 0;
  return Array.from({ length: columns }, (_, j) => Float64Array.from(a, (row) => row[j] as number));
}

/** Lower triangle L of a positive definite matrix, A = L · Lᵀ. */
export function cholesky(a: Matrix): Vector[] {
  const lower = a.map(() => new Float64Array(a.length));
  for (let i = 0; i < a.length; i++) {
    const row = lower[i] as Vector;
    for (let j = 0; j <= i; j++) {
      const other = lower[j] as Vector;
      let sum = (a[i] as Vector)[j] as number;
      for (let k = 0; k < j; k++) sum -= (row[k] as number) * (other[k] as number);
      if (i === j && sum <= 0)
        throw new InternalError('cholesky: the matrix is not positive definite');
      row[j] = i === j ? Math.sqrt(sum) : sum / (other[j] as number);
    }
  }
  return lower;
}

/** x with L · x = b. */
export function solveLower(lower: Matrix, b: ArrayLike<number>): Vector {
  const x = new Float64Array(b.length);
  for (let i = 0; i < x.length; i++) {
    const row = lower[i] as Vector;
    let sum = b[i] as number;
    for (let k = 0; k < i; k++) sum -= (row[k] as number) * (x[k] as number);
    x[i] = sum / (row[i] as number);
  }
  return x;
}

/** x with L · Lᵀ · x = b. */
export function solveCholesky(lower: Matrix, b: ArrayLike<number>): Vector {
  const x = solveLower(lower, b);
  for (let i = x.length - 1; i >= 0; i--) {
    let sum = x[i] as number;
    for (let k = i + 1; k < x.length; k++)
      sum -= ((lower[k] as Vector)[i] as number) * (x[k] as number);
    x[i] = sum / ((lower[i] as Vector)[i] as number);
  }
  return x;
}

export interface Eigen {
  readonly values: Vector;
  /** Row i is the unit vector of value i. */
  readonly vectors: Matrix;
}

const MAX_SWEEPS = 40;

/** Eigenvalues and vectors of a symmetric matrix by cyclic Jacobi rotations. */
export function symmetricEigen(symmetric: Matrix): Eigen {
  const n = symmetric.length;
  const a = symmetric.map((row) => Float64Array.from(row));
  const vectors = a.map((_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  const total = a.reduce((sum, row) => sum + dot(row, row), 0);
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) off += ((a[p] as Vector)[q] as number) ** 2;
    }
    if (off <= 1e-26 * total) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, p, q);
  }
  return { values: Float64Array.from(a, (row, i) => row[i] as number), vectors };
}

/** One rotation that makes a[p][q] zero. */
function rotate(a: readonly Vector[], vectors: readonly Vector[], p: number, q: number): void {
  const rowP = a[p] as Vector;
  const rowQ = a[q] as Vector;
  const apq = rowP[q] as number;
  if (apq === 0) return;
  const theta = ((rowQ[q] as number) - (rowP[p] as number)) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const row of a) {
    const x = row[p] as number;
    const y = row[q] as number;
    row[p] = c * x - s * y;
    row[q] = s * x + c * y;
  }
  turnRows(rowP, rowQ, c, s);
  turnRows(vectors[p] as Vector, vectors[q] as Vector, c, s);
}

function turnRows(rowP: Vector, rowQ: Vector, c: number, s: number): void {
  for (let k = 0; k < rowP.length; k++) {
    const x = rowP[k] as number;
    const y = rowQ[k] as number;
    rowP[k] = c * x - s * y;
    rowQ[k] = s * x + c * y;
  }
}
