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

/** A + value · I. */
export function withDiagonal(a: Matrix, value: number): Vector[] {
  return a.map((row, i) => {
    const copy = Float64Array.from(row);
    copy[i] = (copy[i] as number) + value;
    return copy;
  });
}

/** A⁻¹ from the lower triangle of A = L · Lᵀ. */
export function inverseOf(lower: Matrix): Vector[] {
  return lower.map((_, i) => {
    const unit = new Float64Array(lower.length);
    unit[i] = 1;
    return solveCholesky(lower, unit);
  });
}
