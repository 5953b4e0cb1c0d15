import { UsageError } from '../errors.js';

/** Seconds of a duration such as `90s`, `15m`, `3h`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * { s: 1, m: 60, h: 3600 }[match[2] as 's' | 'm' | 'h'];
}

/** The flag `--budget`: a duration or `200trials`. */
export function parseBudget(text: string): { seconds: number } | { trials: number } {
  const seconds = parseDuration(text);
  if (seconds !== undefined && seconds > 0) return { seconds };
  const trials = /^([1-9]\d*)trials$/.exec(text);
  if (trials !== null) return { trials: Number(trials[1]) };
  throw new UsageError(`--budget: expected 180s, 15m, 3h or 200trials, received ${text}`);
}
