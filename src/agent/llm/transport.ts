/**
 * HTTP as far as a language model may use it: one address, no redirects, a time limit on the whole
 * answer, a size limit on its body. Whatever goes wrong becomes a `CallError` that says whether to
 * try again.
 */
import { ArchwrightError, errorMessage } from '../../errors.js';
import { quoteText, type Redact } from './foreign.js';

/** The largest body that is read. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** Characters of a server's complaint that are passed on. */
const COMPLAINT_CHARACTERS = 200;
/** Statuses that pass. */
const PASSING = [408, 409, 425, 429, 500, 502, 503, 504, 529];

/** Why a request has no usable answer; `message` is one line. */
export class CallError extends ArchwrightError {
  override name = 'CallError';
  /** Whether another try may end otherwise. */
  readonly mayPass: boolean;
  /** Whether the model may have worked, and its owner be charged, all the same. */
  readonly mayCost: boolean;
  /** What the server asks to wait. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    facts: { mayPass: boolean; mayCost: boolean; retryAfterSeconds?: number | undefined },
  ) {
    super(message);
    this.mayPass = facts.mayPass;
    this.mayCost = facts.mayCost;
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

const BROKEN = { mayPass: true, mayCost: true } as const;

/** A `fetch` with these bounds. The body of what it returns is JSON. */
export function createFetch(timeoutSeconds: number, redact: Redact): typeof globalThis.fetch {
  return async (input, init) => {
    const timeout = AbortSignal.timeout(timeoutSeconds * 1e3);
    const signals = [timeout, ...(init?.signal ? [init.signal] : [])];
    let response: Response;
    let body: string;
    try {
      const signal = AbortSignal.any(signals);
      response = await fetch(input, { ...init, signal, redirect: 'manual' });
      body = redact(await readBody(response));
    } catch (error) {
      if (error instanceof CallError || init?.signal?.aborted === true) throw error;
      if (timeout.aborted) throw new CallError(`no answer within ${timeoutSeconds} s`, BROKEN);
      throw new CallError(`the connection failed: ${redact(causeOf(error))}`, BROKEN);
    }
    if (!response.ok) throw refusalOf(response, body);
    try {
      JSON.parse(body);
    } catch {
      throw new CallError('the answer is not JSON, or cut off', BROKEN);
    }
    return new Response(body, { headers: { 'content-type': 'application/json' } });
  };
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) {
      await response.body?.cancel().catch(() => {});
      throw new CallError(`the answer is larger than ${MAX_BODY_BYTES} bytes`, BROKEN);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refusalOf({ status, headers }: Response, body: string): CallError {
  const complaint = body === '' ? '' : `: ${quoteText(body, COMPLAINT_CHARACTERS)}`;
  const redirects = status >= 300 && status < 400 ? ' (redirects are not followed)' : '';
  return new CallError(`the server answered ${status}${redirects}${complaint}`, {
    mayPass: PASSING.includes(status),
    mayCost: false,
    retryAfterSeconds: parseRetryAfter(headers.get('retry-after'), Date.now()),
  });
}

/** Seconds of a Retry-After header: a number of them, or a date. */
export function parseRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(value.trim())) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - nowMs) / 1e3);
}

/** The innermost message: fetch hides the system's error behind its own. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return quoteText(errorMessage(cause ?? error), COMPLAINT_CHARACTERS);
}
