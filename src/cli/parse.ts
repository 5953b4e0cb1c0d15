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

/** A parser for a flag that takes a size such as `512MiB`: bytes. */
export function parseBytes(flag: string): (text: string) => number {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  return (text) => {
    const [, number, unit = 'B'] = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB)?$/.exec(text) ?? [];
    const bytes = Math.floor(Number(number) * 1024 ** units.indexOf(unit));
    if (bytes >= 1) return bytes;
    throw new UsageError(`${flag}: expected a size such as 512MiB, received ${text}`);
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

/** A parser for a repeatable flag `name=d0,d1,…` that gives the shape of an input. */
export function parseShape(
  text: string,
  known: Readonly<Record<string, readonly number[]>> = {},
): Record<string, readonly number[]> {
  // Names may contain an equals sign; sizes never do.
  const [, name, sizes] = /^(.+)=((?:\d+(?:,\d+)*)?)$/.exec(text) ?? [];
  if (name === undefined || sizes === undefined) {
    throw new UsageError(`--shape: expected name=d0,d1,… such as x=1,3,224,224, received ${text}`);
  }
  return { ...known, [name]: sizes === '' ? [] : sizes.split(',').map(Number) };
}

/** A parser for a flag that takes one of a few words. */
export function parseChoice<T extends string>(
  flag: string,
  choices: readonly T[],
): (text: string) => T {
  return (text) => {
    const known = choices.find((one) => one === text);
    if (known !== undefined) return known;
    throw new UsageError(`${flag}: expected ${choices.join(', ')}; received ${text}`);
  };
}
