/** Learning rate by step. */

export const scheduleNames = ['cosine', 'one-cycle', 'constant', 'step', 'exponential'] as const;
export type ScheduleName = (typeof scheduleNames)[number];

export interface Schedule {
  readonly schedule: ScheduleName;
  /** The peak. */
  readonly learningRate: number;
  readonly warmupFraction: number;
  readonly decayFactor: number;
  readonly decayEpochs: number;
}

/** One cycle begins at 1/25 of the peak and ends at 1/10,000 of that (PyTorch's OneCycleLR). */
const CYCLE_START = 1 / 25;
const CYCLE_END = 1e-4;

/**
 * Rates of `steps` steps. With w warm-up steps of n, p the peak, γ and E the decay's factor and epochs,
 * step t (from 0) of epoch e = t / stepsPerEpoch has
 * - `cosine`: p·(t+1)/w up to w, then p·½(1 + cos π(t−w)/(n−w)) (SGDR without restarts, arXiv
 *   1608.03983);
 * - `one-cycle`: half a cosine from p/25 up to p at step w−1, half a cosine down to p/250,000 at the
 *   last one (arXiv 1708.07120 as in PyTorch; momentum stays as it is);
 * - `constant`, `step`, `exponential`: the same warm-up, then p, p·γ^⌊e/E⌋, p·γ^(e/E).
 */
export function createSchedule(
  steps: number,
  stepsPerEpoch: number,
  { schedule, learningRate, warmupFraction, decayFactor, decayEpochs }: Schedule,
): Float32Array {
  const warmup = Math.round(steps * warmupFraction);
  if (schedule === 'one-cycle') return oneCycle(steps, warmup, learningRate);
  const factorAt = (t: number): number => {
    if (t < warmup) return (t + 1) / warmup;
    const decays = t / stepsPerEpoch / decayEpochs;
    switch (schedule) {
      case 'cosine':
        return (1 + Math.cos((Math.PI * (t - warmup)) / (steps - warmup))) / 2;
      case 'constant':
        return 1;
      case 'step':
        return decayFactor ** Math.floor(decays);
      case 'exponential':
        return decayFactor ** decays;
    }
  };
  return Float32Array.from({ length: steps }, (_, t) => learningRate * factorAt(t));
}

function oneCycle(steps: number, warmup: number, peak: number): Float32Array {
  const top = Math.max(0, warmup - 1);
  const low = peak * CYCLE_START;
  const between = (from: number, to: number, share: number): number =>
    to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
  return Float32Array.from({ length: steps }, (_, t) =>
    t <= top
      ? between(low, peak, top === 0 ? 1 : t / top)
      : between(peak, low * CYCLE_END, (t - top) / (steps - 1 - top)),
  );
}
