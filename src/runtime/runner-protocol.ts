/**
 * What the supervisor, the runner process and its worker threads say to each other. Arguments,
 * progress and results are serialized once, at their source, and read once, at their end: the
 * runner process between them only passes bytes on.
 */
import { ArchwrightError } from '../errors.js';
import type { TensorData } from './binding-types.js';

/** A function to be called in a worker thread of the runner process. */
export interface Task {
  /** URL of an ES module. */
  readonly module: string;
  /** Name of a function that the module exports; called as `fn(args, context)`. */
  readonly name: string;
  /** Anything that can be cloned structurally. */
  readonly args: unknown;
}

/** What a task function gets beside its arguments. */
export interface TaskContext {
  /** An array given to `runner.share`, over shared memory: not to be written. Throws if unknown. */
  shared(name: string): TensorData;
  /** Sends a value to the `onProgress` callback of the call. */
  progress(value: unknown): void;
}

/** An error as plain data. */
export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly cause?: ErrorData | undefined;
}

/** A value by `v8.serialize`. */
export type Serialized = Uint8Array;

export interface SerializedTask {
  readonly id: number;
  readonly module: string;
  readonly name: string;
  readonly args: Serialized;
}

export type ToRunner =
  | { readonly kind: 'share'; readonly name: string; readonly array: TensorData }
  | { readonly kind: 'unshare'; readonly name: string }
  | ({ readonly kind: 'call' } & SerializedTask);

export type FromRunner =
  | { readonly kind: 'progress'; readonly id: number; readonly value: Serialized }
  | { readonly kind: 'done'; readonly id: number; readonly value: Serialized }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorData }
  /** A worker thread died; the process is of no use any more. */
  | { readonly kind: 'broken'; readonly outOfMemory: boolean; readonly message: string };

export interface WorkerRequest {
  readonly task: SerializedTask;
  readonly shared: ReadonlyMap<string, TensorData>;
}

export interface WorkerProgress {
  readonly id: number;
  readonly value: Serialized;
}

export interface WorkerResponse {
  /** Progress messages that were sent; they travel another way and may arrive later. */
  readonly progressCount: number;
  readonly result: { readonly value: Serialized } | { readonly error: ErrorData };
}

/** Why a call ended without an answer of its task. */
export type RunnerFailure = 'crashed' | 'hung' | 'out-of-memory' | 'closed';

/** The runner process ended under a call. The next call starts a fresh process. */
export class RunnerError extends ArchwrightError {
  override name = 'RunnerError';
  readonly reason: RunnerFailure;
  constructor(reason: RunnerFailure, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The task itself threw: name, message, stack and causes are those of its error. */
export class TaskError extends ArchwrightError {
  constructor(data: ErrorData) {
    super(
      data.message,
      data.cause === undefined ? undefined : { cause: new TaskError(data.cause) },
    );
    this.name = data.name;
    if (data.stack !== undefined) this.stack = data.stack;
  }
}

/** Anything thrown, as plain data with its chain of causes. */
export function encodeError(error: unknown): ErrorData {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : encodeError(error.cause),
  };
}
