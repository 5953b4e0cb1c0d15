/**
 * Learning rate by step: a straight rise to the peak, then half a cosine down towards 0 (SGDR without
 * restarts, arXiv 1608.03983). With w warm-up steps of n, step t (from 0) has
 * peak·(t+1)/w for t < w, and peak·½(1 + cos π(t−w)/(n−w)) from there on.
 */
export function cosineSchedule(steps: number, peak: number, warmupFraction: number): Float32Array {
  const warmup = Math.round(steps * warmupFraction);
  return Float32Array.from({ length: steps }, (_, t) =>
    t < warmup
      ? (peak * (t + 1)) / warmup
      : (peak * (1 + Math.cos((Math.PI * (t - warmup)) / (steps - warmup)))) / 2,
  );
}
