/** Trying again: exponential back-off with seeded jitter, never sooner than the server asks. */
import { setTimeout } from 'node:timers/promises';
import type { Rng } from '../../util/random.js';
import { CallError } from './transport.js';

export const MAX_ATTEMPTS = 5;
const FIRST_WAIT_SECONDS = 1;
const LONGEST_WAIT_SECONDS = 30;
/** A server that asks for more is taken to be gone. */
export const MAX_RETRY_AFTER_SECONDS = 120;

export type Sleep = (seconds: number, signal: AbortSignal | undefined) => Promise<void>;

export const sleepFor: Sleep = async (seconds, signal) => {
  await setTimeout(seconds * 1e3, undefined, signal === undefined ? {} : { signal });
};

/**
 * The first success of `attempt`, called with 1, 2, ….
 * @throws CallError the last one, when it may not pass or there were enough.
 */
export async function withRetries<T>(
  attempt: (number: number) => Promise<T>,
  rng: Rng,
  sleep: Sleep,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (let number = 1; ; number++) {
    try {
      return await attempt(number);
    } catch (error) {
      if (!(error instanceof CallError) || !error.mayPass || number === MAX_ATTEMPTS) throw error;
      const asked = error.retryAfterSeconds ?? 0;
      if (asked > MAX_RETRY_AFTER_SECONDS) throw error;
      const longest = Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (number - 1));
      await sleep(Math.max(asked, rng.range(longest / 2, longest)), signal);
    }
  }
}
