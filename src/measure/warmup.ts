/**
 * Steady-state detection on the medians of warm-up windows: steady when the fastest window of the
 * later half of the newest few is as fast as the fastest of the earlier half. Disturbances only ever
 * add time, so the fastest windows show the state of the model itself: page faults, arenas and
 * thread pools make them faster as they warm up, heat makes them slower. How much the rest scatters
 * is for the interval of the median to say.
 */

export interface WarmupOptions {
  /** Windows that are looked at, an even number. */
  readonly windows: number;
  /** Relative difference between the halves' fastest windows that counts as none. */
  readonly tolerance: number;
  readonly maxSeconds: number;
}

export const defaultWarmup = {
  windows: 8,
  tolerance: 0.02,
  maxSeconds: 1.5,
} as const satisfies WarmupOptions;

/** Whether the newest of `medians` (in the order of time) are steady. */
export function isSteady(
  medians: readonly number[],
  { windows, tolerance }: Pick<WarmupOptions, 'windows' | 'tolerance'>,
): boolean {
  if (medians.length < windows) return false;
  const recent = medians.slice(-windows);
  const earlier = Math.min(...recent.slice(0, windows / 2));
  const later = Math.min(...recent.slice(windows / 2));
  return Math.abs(later / earlier - 1) <= tolerance;
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
