/**
 * Faults of the clock. Every window is timed twice: by the system's monotonic clock, from which the
 * samples come, and by the processor's own counter, which runs at a constant rate. Where the ratio of
 * the two differs from the usual one, the clock has jumped (a suspended virtual machine, a broken
 * time source, a fiddled library) and the samples are worthless.
 *
 * Limits: a clock that is wrong by the same factor throughout looks right; and where there is no
 * counter nothing is seen.
 */
import type { TimingWindow } from '../runtime/runtime.js';
import { median } from './statistics.js';

/** Relative deviation that is let pass; a clock that is disciplined by NTP is off by 0.05 %. */
const TOLERANCE = 0.005;
/** Nanoseconds that are let pass: the two are read one after the other, with a preemption between. */
const TOLERANCE_NS = 200e3;

/**
 * How far each window's clock is off, relative to what is let pass: above 1 it jumped. 0 for windows
 * without a counter.
 */
export function clockDeviations(
  windows: readonly Pick<TimingWindow, 'counterTicks' | 'wallNs'>[],
): number[] {
  const counted = windows.filter(({ counterTicks, wallNs }) => counterTicks > 0 && wallNs > 0);
  const usual = median(counted.map(({ counterTicks, wallNs }) => counterTicks / wallNs));
  return windows.map(({ counterTicks, wallNs }) => {
    if (!(counterTicks > 0)) return 0;
    const trueNs = counterTicks / usual;
    return Math.abs(wallNs - trueNs) / Math.max(TOLERANCE * trueNs, TOLERANCE_NS);
  });
}
