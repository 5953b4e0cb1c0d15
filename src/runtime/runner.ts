/**
 * Runs tasks in a supervised child process, so that a crash, a hang or running out of memory in
 * native code costs one task, never this process. The child holds a pool of worker threads
 * (`runner-main.ts`); it is always ended by SIGKILL and started again by the next call.
 */
import { UsageError } from '../errors.js';
import type { TensorData } from './binding-types.js';
import { type Call, RunnerChild } from './runner-child.js';
import { RunnerError, type Task } from './runner-protocol.js';

export interface RunnerOptions {
  /** Worker threads, and so tasks at a time (default 1). */
  readonly threads?: number;
  /**
   * Kill the child when its resident memory passes this (Linux; looked at ten times a second while
   * a task runs). Default: no limit.
   */
  readonly memoryLimitBytes?: number;
  /** Variables of the child's environment, beside and above those of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface CallOptions {
  /** Kill the child when the task runs longer; waiting for a free thread does not count. */
  readonly timeoutMs?: number;
  /** Receives what the task hands to `context.progress`, in order, before the call settles. */
  readonly onProgress?: (value: unknown) => void;
  /** Aborting rejects the call with the signal's reason, and kills the child if it had started. */
  readonly signal?: AbortSignal;
}

export class Runner {
  readonly #threads: number;
  readonly #memoryLimitBytes: number | undefined;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #shared = new Map<string, TensorData>();
  readonly #queue: Call[] = [];
  #child: RunnerChild | undefined;
  #closed = false;

  constructor(options: RunnerOptions = {}) {
    const threads = options.threads ?? 1;
    if (!Number.isSafeInteger(threads) || threads < 1) {
      throw new UsageError(`runner threads: expected a whole number from 1, received ${threads}`);
    }
    this.#threads = threads;
    this.#memoryLimitBytes = options.memoryLimitBytes;
    this.#environment = options.environment ?? {};
  }

  /** Process id of the child; undefined while there is none. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Calls a task in the child. Rejects with `TaskError` if the task threw, with `RunnerError` if the
   * child ended under it, with the signal's reason if it was aborted.
   */
  call<R>(task: Task, options: CallOptions = {}): Promise<R> {
    const { signal } = options;
    if (this.#closed) return Promise.reject(new RunnerError('closed', 'the runner was closed'));
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise<unknown>((resolve, reject) => {
      const call: Call = {
        task: { ...task }, // an identity of its own
        timeoutMs: options.timeoutMs,
        onProgress: options.onProgress,
        resolve: (value) => this.#settled(() => resolve(value), signal, abort),
        reject: (error) => this.#settled(() => reject(error), signal, abort),
      };
      const abort = () => {
        const index = this.#queue.indexOf(call);
        if (index >= 0) this.#queue.splice(index, 1);
        else void this.#child?.end({ reason: 'crashed', message: 'it was aborted', culprit: call });
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#queue.push(call);
      this.#pump();
    }) as Promise<R>;
  }

  /** Gives tasks an array by name. It is copied to each child once; later writes are not seen. */
  share(name: string, array: TensorData): void {
    const copy = array.slice(); // also takes it out of a SharedArrayBuffer, which cannot be sent
    this.#shared.set(name, copy);
    this.#child?.send({ kind: 'share', name, array: copy });
  }

  /** Forgets a shared array, here and in the child. */
  unshare(name: string): void {
    this.#shared.delete(name);
    this.#child?.send({ kind: 'unshare', name });
  }

  /** Ends the child; calls under way are rejected as `closed`, the next call starts a fresh one. */
  async restart(): Promise<void> {
    await this.#child?.end({ reason: 'closed', message: 'the runner was restarted' });
  }

  /** Ends the child for good; calls under way and waiting are rejected as `closed`. */
  async close(): Promise<void> {
    this.#closed = true;
    const message = 'the runner was closed';
    for (const call of this.#queue.splice(0)) call.reject(new RunnerError('closed', message));
    await this.#child?.end({ reason: 'closed', message });
  }

  #settled(settle: () => void, signal: AbortSignal | undefined, abort: () => void): void {
    signal?.removeEventListener('abort', abort);
    settle();
    this.#pump();
  }

  #pump(): void {
    while (this.#queue.length > 0) {
      if (this.#child?.ending) return; // its end pumps again
      this.#child ??= this.#start();
      if (this.#child.callCount >= this.#threads) return;
      this.#child.start(this.#queue.shift() as Call);
    }
  }

  #start(): RunnerChild {
    const child = new RunnerChild({
      threads: this.#threads,
      memoryLimitBytes: this.#memoryLimitBytes,
      environment: this.#environment,
      onEnd: () => {
        this.#child = undefined;
        this.#pump();
      },
    });
    for (const [name, array] of this.#shared) child.send({ kind: 'share', name, array });
    return child;
  }
}
