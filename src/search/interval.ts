/**
 * The Wilson score interval of a proportion (E. B. Wilson, "Probable inference, the law of
 * succession, and statistical inference", JASA 22, 1927). Unlike the normal interval it stays inside
 * 0 … 1 and keeps its coverage near the ends and for few samples.
 *
 *   centre = (p + z²/2n) / (1 + z²/n),  half = z/(1 + z²/n) · √(p(1 − p)/n + z²/4n²)
 */

/** Two-sided 95 % quantile of the standard normal distribution. */
export const Z95 = 1.959963984540054;

/** Lower and upper end for `successes` out of `samples` (at least 1) at the normal quantile `z`. */
export function wilsonInterval(
  successes: number,
  samples: number,
  z: number = Z95,
): readonly [low: number, high: number] {
  if (!(samples >= 1) || !(successes >= 0) || !(successes <= samples)) {
    throw new RangeError(
      `wilsonInterval: expected 0 ≤ successes ≤ samples, samples ≥ 1; received ${successes} of ${samples}`,
    );
  }
  const p = successes / samples;
  const shrink = 1 + (z * z) / samples;
  const centre = (p + (z * z) / (2 * samples)) / shrink;
  const variance = (p * (1 - p)) / samples + (z * z) / (4 * samples * samples);
  const half = (z / shrink) * Math.sqrt(variance);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
