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

/** Between `b` and the point of as many features that begins at `offset` of `a`. */
export function squaredDistance(a: Float64Array, b: Float64Array, offset = 0): number {
  // Four sums side by side: one would wait for each addition.
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 4 <= b.length; i += 4) {
    const d0 = (a[offset + i] as number) - (b[i] as number);
    const d1 = (a[offset + i + 1] as number) - (b[i + 1] as number);
    const d2 = (a[offset + i + 2] as number) - (b[i + 2] as number);
    const d3 = (a[offset + i + 3] as number) - (b[i + 3] as number);
    s0 += d0 * d0;
    s1 += d1 * d1;
    s2 += d2 * d2;
    s3 += d3 * d3;
  }
  for (; i < b.length; i++) {
    const d = (a[offset + i] as number) - (b[i] as number);
    s0 += d * d;
  }
  return s0 + s1 + (s2 + s3);
}

/** Σ a[i] · b[i] over the first `count`. */
function dot(a: Float64Array, b: Float64Array, count: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    s0 += (a[i] as number) * (b[i] as number);
    s1 += (a[i + 1] as number) * (b[i + 1] as number);
    s2 += (a[i + 2] as number) * (b[i + 2] as number);
    s3 += (a[i + 3] as number) * (b[i + 3] as number);
  }
  for (; i < count; i++) s0 += (a[i] as number) * (b[i] as number);
  return s0 + s1 + (s2 + s3);
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
      row[i] = ((row[i] as number) - dot(factor, row, i)) / (factor[i] as number);
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
