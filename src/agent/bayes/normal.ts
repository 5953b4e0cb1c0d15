/** The normal distribution, and what acquisition functions need of it. */

/** Density of the standard normal distribution. */
export function normalDensity(x: number): number {
  return Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
}

/** P(X ≤ x) of a standard normal X, to 1e-7 (Abramowitz and Stegun 26.2.17). */
export function normalBelow(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = normalDensity(x) * series;
  return x > 0 ? 1 - tail : tail;
}

/**
 * The x with P(X ≤ x) = p, for p inside (0, 1), to 5e-4 (Abramowitz and Stegun 26.2.23): enough for
 * scores of ranks, of which there are many.
 */
export function normalQuantile(p: number): number {
  const t = Math.sqrt(-2 * Math.log(Math.min(p, 1 - p)));
  const top = 2.515517 + t * (0.802853 + t * 0.010328);
  const bottom = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  const x = t - top / bottom;
  return p < 0.5 ? -x : x;
}

/** Mean of max(0, best − Y) for a normal Y: what a draw is expected to save. */
export function expectedImprovement(mean: number, deviation: number, best: number): number {
  const u = (best - mean) / deviation;
  return Math.max(0, deviation * (u * normalBelow(u) + normalDensity(u)));
}
