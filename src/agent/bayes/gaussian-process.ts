/**
 * Gaussian-process regression (Rasmussen and Williams 2006, ch. 2 and 5) with a Matérn 5/2 kernel of
 * unit variance, scaled by the targets. Points come one by one and several sets of targets share the
 * factorisation, as a scalarisation that changes with every ask needs it. No randomness.
 */

/** What the kernel looks like. */
export interface KernelShape {
  /** Distance over which values stay alike. */
  readonly lengthscale: number;
  /** Variance of the noise ÷ that of the signal. */
  readonly noise: number;
}

/** The kernel of a squared distance: exactly 1 at 0. */
export function matern52(squaredDistance: number, lengthscale: number): number {
  const r = Math.sqrt(5 * squaredDistance) / lengthscale;
  return (1 + r + (r * r) / 3) * Math.exp(-r);
}

export function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    sum += difference * difference;
  }
  return sum;
}

/** A process that knows points; targets are given when it is asked. */
export class GaussianProcess {
  readonly shape: KernelShape;
  readonly #points: Float64Array[] = [];
  /** Rows of the lower Cholesky factor of kernel + noise. */
  readonly #factor: Float64Array[] = [];

  constructor(shape: KernelShape) {
    this.shape = shape;
  }

  get size(): number {
    return this.#points.length;
  }

  point(i: number): Float64Array {
    return this.#points[i] as Float64Array;
  }

  /** Row `i` of the Cholesky factor, i + 1 long. */
  factorRow(i: number): Float64Array {
    return this.#factor[i] as Float64Array;
  }

  /**
   * Adds a point in O(size²).
   * @param kernels between it and the points known, where they are at hand.
   */
  append(point: Float64Array, kernels?: Float64Array): void {
    const n = this.size;
    const row = new Float64Array(n + 1);
    if (kernels === undefined) this.#kernelsTo(point, row);
    else row.set(kernels.subarray(0, n));
    this.#solveInPlace(row);
    let diagonal = 1 + this.shape.noise;
    for (let i = 0; i < n; i++) diagonal -= (row[i] as number) ** 2;
    // Never below the noise in exact arithmetic.
    row[n] = Math.sqrt(Math.max(diagonal, this.shape.noise / 2));
    this.#points.push(point);
    this.#factor.push(row);
  }

  /** L⁻¹ y. Of zero-mean targets, one for each point. */
  whitenTargets(targets: readonly number[]): Float64Array {
    return this.#solveInPlace(Float64Array.from(targets));
  }

  #kernelsTo(point: Float64Array, row: Float64Array): void {
    for (let i = 0; i < this.size; i++) {
      row[i] = matern52(squaredDistance(this.point(i), point), this.shape.lengthscale);
    }
  }

  #solveInPlace(row: Float64Array): Float64Array {
    for (let i = 0; i < this.size; i++) {
      const factor = this.factorRow(i);
      let sum = row[i] as number;
      for (let j = 0; j < i; j++) sum -= (factor[j] as number) * (row[j] as number);
      row[i] = sum / (factor[i] as number);
    }
    return row;
  }

  /** Logarithm of the marginal likelihood with the best signal variance, up to a constant. */
  logLikelihood(targets: readonly number[]): number {
    const n = this.size;
    let logDeterminant = 0;
    for (let i = 0; i < n; i++) logDeterminant += Math.log(this.factorRow(i)[i] as number);
    return -0.5 * n * Math.log(signalVariance(this.whitenTargets(targets))) - logDeterminant;
  }
}

/** The signal variance that makes targets likeliest, from L⁻¹ y. */
export function signalVariance(whitened: Float64Array): number {
  let sum = 0;
  for (const value of whitened) sum += value * value;
  return Math.max(sum / Math.max(1, whitened.length), 1e-12);
}
