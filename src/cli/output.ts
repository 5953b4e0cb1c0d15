/** What every command does with its results and its errors. */
import { errorMessage, InternalError } from '../errors.js';

/** Options that all commands share. */
export interface OutputOptions {
  /** One JSON document on standard output instead of text. */
  readonly json?: boolean;
}

/** Prints the result: JSON on demand, else what `format` makes of it. */
export function print<T>(result: T, options: OutputOptions, format: (result: T) => string): void {
  process.stdout.write(
    `${options.json === true ? JSON.stringify(result, null, 2) : format(result)}\n`,
  );
}

/** Exit codes: 0 done, 1 failed, 2 usage. */
export function exitCodeOf(error: unknown): 1 | 2 {
  // Errors from the runner's tasks keep the name they had there.
  return error instanceof Error && error.name === 'UsageError' ? 2 : 1;
}

/** One line for a person; the stack only where the fault is ours. */
export function describeError(error: unknown): string {
  if (error instanceof InternalError && error.stack !== undefined) return error.stack;
  return `error: ${errorMessage(error)}`;
}

/** Aborts on the first Ctrl-C; the second one ends the process as usual. */
export function createInterrupt(onInterrupt: () => void): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const stop = (): void => {
    onInterrupt();
    controller.abort();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
