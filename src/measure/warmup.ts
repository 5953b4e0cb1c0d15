/**
 * Steady-state detection on the medians of warm-up windows: steady when the last few lie within a
 * tolerance of each other and their later half is not moving away from the earlier one. What warms
 * up (page faults, arenas, frequency, thread pools) shows as a trend; noise shows as spread.
 */
import { median } from './statistics.js';

export interface WarmupOptions {
  /** Windows that must agree, at least 4. */
  readonly windows: number;
  /** Largest ÷ smallest median − 1 among them. */
  readonly tolerance: number;
  /** Largest change from the earlier to the later half, relative. */
  readonly drift: number;
  readonly maxSeconds: number;
}

export const defaultWarmup = {
  windows: 6,
  tolerance: 0.05,
  drift: 0.02,
  maxSeconds: 1.5,
} as const satisfies WarmupOptions;

/** Whether the newest of `medians` (in the order of time) are steady. */
export function isSteady(
  medians: readonly number[],
  options: Pick<WarmupOptions, 'windows' | 'tolerance' | 'drift'>,
): boolean {
  if (medians.length < options.windows) return false;
  const recent = medians.slice(-options.windows);
  if (Math.max(...recent) > Math.min(...recent) * (1 + options.tolerance)) return false;
  const half = Math.floor(recent.length / 2);
  const change = median(recent.slice(-half)) / median(recent.slice(0, half)) - 1;
  return Math.abs(change) <= options.drift;
}

/**
 * Runs windows until they are steady or `maxSeconds` of them have passed.
 * `runWindow` returns the median of one window, in any unit, and its wall time.
 */
export async function warmUp(
  runWindow: () => Promise<{ readonly median: number; readonly seconds: number }>,
  options: WarmupOptions,
): Promise<{ readonly steady: boolean; readonly medians: readonly number[] }> {
  const medians: number[] = [];
  let seconds = 0;
  while (seconds < options.maxSeconds) {
    const window = await runWindow();
    medians.push(window.median);
    seconds += window.seconds;
    if (isSteady(medians, options)) return { steady: true, medians };
  }
  return { steady: false, medians };
}
