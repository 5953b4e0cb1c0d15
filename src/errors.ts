/** Base of every error that Archwright raises on purpose; `message` is one line for a person. */
export class ArchwrightError extends Error {
  override name = 'ArchwrightError';
}

/** The caller gave something unusable: a flag, a config key, a file. The CLI exits with code 2. */
export class UsageError extends ArchwrightError {
  override name = 'UsageError';
}

/** A broken invariant of our own code, never the user's fault. */
export class InternalError extends ArchwrightError {
  override name = 'InternalError';
  constructor(message: string, options?: ErrorOptions) {
    super(`internal: ${message}`, options);
  }
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
