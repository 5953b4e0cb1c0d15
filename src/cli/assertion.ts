/**
 * `--assert "latencyMs.p50 < 2"`: a condition on a number (or a word) of a result, for people's CI.
 * The condition is taken literally, on the value itself; where the value is a median or a ratio
 * with an interval, the message shows that too. A command whose assertion does not hold ends with
 * exit code 3.
 *
 *   assertion = path operator value      path: latencyMs.p50, ci95.1 or ci95[1], verdict
 *   operator  = < | <= | > | >= | == | !=
 *   value     = number [unit] | word     units: us ms s, B KiB MiB GiB KB MB GB, %
 *
 * A number without a unit is in the unit that the path's name states.
 */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { type Leaf, leavesOf } from './report-format.js';
import { closest } from './suggest.js';

export type AssertionOperator = '<' | '<=' | '>' | '>=' | '==' | '!=';

type Quantity = 'time' | 'bytes' | 'share';

export interface Assertion {
  /** As it was given. */
  readonly text: string;
  readonly path: string;
  readonly operator: AssertionOperator;
  /** In seconds, bytes or as a share where there is a unit. */
  readonly expected: number | string | boolean;
  /** What the unit measures; absent without one. */
  readonly quantity?: Quantity;
}

/** An assertion and what was found. */
export interface CheckedAssertion {
  readonly assertion: string;
  /** Name of the result it was checked on. */
  readonly subject: string;
  readonly actual: unknown;
  /** 95 % interval of the actual value, where the result has one. */
  readonly ci95?: readonly [number, number];
  readonly holds: boolean;
}

/** A result to check: plain data and its name. */
export interface Subject {
  readonly name: string;
  readonly result: unknown;
}

/** Exit code of a command one of whose assertions does not hold. */
export const ASSERTION_EXIT_CODE = 3;

const units: Readonly<Record<string, readonly [Quantity, number]>> = {
  us: ['time', 1e-6],
  µs: ['time', 1e-6],
  ms: ['time', 1e-3],
  s: ['time', 1],
  B: ['bytes', 1],
  KB: ['bytes', 1e3],
  MB: ['bytes', 1e6],
  GB: ['bytes', 1e9],
  KiB: ['bytes', 2 ** 10],
  MiB: ['bytes', 2 ** 20],
  GiB: ['bytes', 2 ** 30],
  '%': ['share', 0.01],
};

/** Endings of names in a result, what they measure and one of them in the base unit. */
const nameUnits: readonly (readonly [RegExp, Quantity, number, string])[] = [
  [/Ms$/, 'time', 1e-3, 'ms'],
  [/Us$/, 'time', 1e-6, 'us'],
  [/Ns$/, 'time', 1e-9, 'ns'],
  [/[sS]econds$/, 'time', 1, 's'],
  [/[bB]ytes$/, 'bytes', 1, 'B'],
];

const example = 'latencyMs.p50 < 2';

/** An assertion from its text; throws `UsageError` for one that cannot be read. */
export function parseAssertion(text: string): Assertion {
  const [, path, operator, value] =
    /^\s*([A-Za-z_][\w.[\]/:-]*)\s*(<=|>=|==|!=|<|>)\s*(\S(?:.*\S)?)\s*$/u.exec(text) ?? [];
  if (path === undefined || operator === undefined || value === undefined) {
    throw new UsageError(
      `--assert: expected path, operator (< <= > >= == !=) and value such as "${example}", received "${text}"`,
    );
  }
  const parsed = parseValue(value);
  if (typeof parsed.expected !== 'number' && operator !== '==' && operator !== '!=') {
    throw new UsageError(
      `--assert "${text}": expected a number after ${operator}, received ${value}`,
    );
  }
  return {
    text: text.trim(),
    path: path.replaceAll(/\[(\d+)\]/g, '.$1'),
    operator: operator as AssertionOperator,
    ...parsed,
  };
}

function parseValue(text: string): Pick<Assertion, 'expected' | 'quantity'> {
  const [, digits, unit] =
    /^([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\D*)$/u.exec(text) ?? [];
  if (digits === undefined || unit === undefined) {
    if (text === 'true' || text === 'false') return { expected: text === 'true' };
    return { expected: text.replace(/^(["'])(.*)\1$/, '$2') };
  }
  if (unit === '') return { expected: Number(digits) };
  const known = units[unit];
  if (known === undefined) {
    const near = closest(unit, Object.keys(units));
    throw new UsageError(
      `--assert: expected one of the units ${Object.keys(units).join(', ')}, received ${unit}` +
        (near === undefined ? '' : `; did you mean ${near}?`),
    );
  }
  return { expected: Number(digits) * known[1], quantity: known[0] };
}

/** Adds the repeatable flag `--assert`; its values are `Assertion`s under `assert`. */
export function addAssertOption(command: Command): Command {
  return command.option(
    '--assert <condition>',
    `fail with exit code ${ASSERTION_EXIT_CODE} unless it holds, such as "${example}"; repeatable`,
    (text: string, given: readonly Assertion[] = []) => [...given, parseAssertion(text)],
  );
}

/**
 * Checks every assertion on every subject. Throws `UsageError` for a path that a subject has not
 * and for a unit that does not measure what the path names.
 */
export function checkAssertions(
  assertions: readonly Assertion[],
  subjects: readonly Subject[],
): CheckedAssertion[] {
  return subjects.flatMap(({ name, result }) => {
    const leaves = leavesOf(result);
    return assertions.map((assertion) => {
      const { value: actual } = findLeaf(leaves, assertion);
      const ci95 = findInterval(leaves, assertion.path);
      return {
        assertion: assertion.text,
        subject: name,
        actual,
        ...(ci95 !== undefined && { ci95 }),
        holds: holds(assertion, actual),
      };
    });
  });
}

/**
 * Checks, prints a line for each on standard error, and sets the exit code where one does not hold.
 * Nothing where no assertions were given.
 */
export function applyAssertions(
  assertions: readonly Assertion[] | undefined,
  subjects: readonly Subject[],
): void {
  if (assertions === undefined) return;
  const checked = checkAssertions(assertions, subjects);
  for (const one of checked) process.stderr.write(`${formatChecked(one)}\n`);
  if (checked.some((one) => !one.holds)) process.exitCode = ASSERTION_EXIT_CODE;
}

/** One line: what was expected and what is. */
export function formatChecked({
  assertion,
  subject,
  actual,
  ci95,
  holds,
}: CheckedAssertion): string {
  const interval = ci95 === undefined ? '' : ` (95 % interval ${ci95.map(round).join(' … ')})`;
  const mark = holds ? '✓ assertion holds' : '✗ assertion failed';
  return `${mark}: ${subject}: expected ${assertion}, actual ${round(actual)}${interval}`;
}

function round(value: unknown): string {
  if (typeof value !== 'number' || Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(5)));
}

function findLeaf(leaves: readonly Leaf[], { path, text }: Assertion): Leaf {
  const found = leaves.find((leaf) => leaf.path === path);
  if (found !== undefined) return found;
  const known = leaves.map((leaf) => leaf.path);
  const parts = known.filter((other) => other.startsWith(`${path}.`));
  const near = closest(path, known);
  const advice =
    parts.length > 0
      ? `it has the parts ${parts.join(', ')}`
      : near === undefined
        ? `known are ${known.join(', ')}`
        : `did you mean ${near}?`;
  throw new UsageError(`--assert "${text}": the result has no value ${path}; ${advice}`);
}

/** The interval beside a median or a ratio: `latencyMs.ci95` of `latencyMs.p50`. */
function findInterval(leaves: readonly Leaf[], path: string): [number, number] | undefined {
  const [, parent] = /^(.*?)(?:p50|ratio)$/.exec(path) ?? [];
  if (parent === undefined) return undefined;
  const end = (i: number): unknown =>
    leaves.find((leaf) => leaf.path === `${parent}ci95.${i}`)?.value;
  const [low, high] = [end(0), end(1)];
  return typeof low === 'number' && typeof high === 'number' ? [low, high] : undefined;
}

function holds(assertion: Assertion, actual: unknown): boolean {
  const { operator, expected } = assertion;
  if (typeof expected !== 'number') {
    const equal = String(actual) === String(expected);
    return operator === '==' ? equal : !equal;
  }
  const limit = inUnitOfPath(assertion);
  if (typeof actual !== 'number') {
    if (actual === null) return false;
    throw new UsageError(
      `--assert "${assertion.text}": ${assertion.path} is no number but ${String(actual)}`,
    );
  }
  return compare[operator](actual, limit);
}

const compare: Readonly<Record<AssertionOperator, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};

/** The expected number in the unit that the path's names state. */
function inUnitOfPath({ text, path, expected, quantity }: Assertion): number {
  const value = expected as number;
  if (quantity === undefined) return value;
  const named = path
    .split('.')
    .flatMap((name) => nameUnits.filter(([ending]) => ending.test(name)))
    .at(-1);
  if (quantity !== (named?.[1] ?? 'share')) {
    const takes = named === undefined ? 'a plain number or %' : `a number in ${named[3]} or alike`;
    throw new UsageError(`--assert "${text}": ${path} takes ${takes}`);
  }
  return named === undefined ? value : value / named[2];
}
