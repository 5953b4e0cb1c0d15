import { UsageError } from '../errors.js';

/** A parser for a flag that takes a whole number of at least `least`. */
export function parseWhole(flag: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
      throw new UsageError(
        `${flag}: expected a whole number of at least ${least}, received ${text}`,
      );
    }
    return value;
  };
}

/** A parser for a flag that takes a positive number. */
export function parsePositive(flag: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !(value > 0) || !Number.isFinite(value)) {
      throw new UsageError(`${flag}: expected a positive number, received ${text}`);
    }
    return value;
  };
}

/** A parser for a repeatable flag `name=size` that sets a symbolic dimension. */
export function parseDim(
  text: string,
  known: Readonly<Record<string, number>> = {},
): Record<string, number> {
  const [, name, size] = /^([^=]+)=(\d+)$/.exec(text) ?? [];
  if (name === undefined || size === undefined || Number(size) < 1) {
    throw new UsageError(`--dim: expected name=size such as N=1, received ${text}`);
  }
  return { ...known, [name]: Number(size) };
}
