/** One life of the runner process, seen from the supervisor: its calls, its limits, its end. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import {
  type FromRunner,
  RunnerError,
  type RunnerFailure,
  type Task,
  TaskError,
  type ToRunner,
} from './runner-protocol.js';

export interface ChildOptions {
  readonly threads: number;
  readonly memoryLimitBytes: number | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Called once, when the process is gone and its calls are settled. */
  readonly onEnd: () => void;
}

/** A call as the supervisor keeps it. */
export interface Call {
  readonly task: Task;
  readonly timeoutMs: number | undefined;
  readonly onProgress: ((value: unknown) => void) | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

interface Running extends Call {
  readonly timer: NodeJS.Timeout | undefined;
}

/** Why the supervisor killed the process; `culprit` is the call that is to blame, if one is. */
interface Verdict {
  readonly reason: RunnerFailure;
  readonly message: string;
  readonly culprit?: Call;
}

const memoryPollMs = 100;
/** How long to wait for the last output of a process that is gone. */
const drainMs = 1000;
const tailLines = 8;

export class RunnerChild {
  readonly #options: ChildOptions;
  readonly #process: ChildProcess;
  readonly #calls = new Map<number, Running>();
  readonly #ended: Promise<void>;
  #tail = '';
  /** Its output said that memory ran out. */
  #ranOut = false;
  #verdict: Verdict | undefined;
  #memoryPoll: NodeJS.Timeout | undefined;
  #nextId = 0;
  #exited = false;

  constructor(options: ChildOptions) {
    this.#options = options;
    const { env } = process;
    this.#process = fork(
      fileURLToPath(new URL('runner-main.js', import.meta.url)),
      [String(options.threads)],
      {
        serialization: 'advanced',
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
        execArgv: [],
        env: {
          ...env,
          ...options.environment,
          ORT_DISABLE_TELEMETRY: env.ORT_DISABLE_TELEMETRY ?? '1',
          // Each worker thread may have one native loop under way on libuv's threads.
          UV_THREADPOOL_SIZE: env.UV_THREADPOOL_SIZE ?? String(options.threads + 3),
          ...(process.platform === 'linux' && env.XDG_RUNTIME_DIR === undefined
            ? { XDG_RUNTIME_DIR: runtimeFolder() }
            : {}),
        },
      },
    );
    this.#ended = this.#watch();
    this.#setRef(false);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get callCount(): number {
    return this.#calls.size;
  }

  /** True once the process was told to end or has ended; no more calls then. */
  get ending(): boolean {
    return this.#exited || this.#verdict !== undefined;
  }

  send(message: ToRunner): void {
    // A failed send means that the process is going; `#finish` settles its calls.
    this.#process.send(message, () => {});
  }

  start(call: Call): void {
    const id = this.#nextId++;
    const { task, timeoutMs } = call;
    let args: Uint8Array;
    try {
      args = serialize(task.args);
    } catch (error) {
      call.reject(error);
      return;
    }
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            const message = `the task "${task.name}" did not end within ${timeoutMs} ms; its process was killed`;
            this.end({ reason: 'hung', message, culprit: call });
          }, timeoutMs);
    this.#calls.set(id, { ...call, timer });
    this.#setRef(true);
    this.send({ kind: 'call', id, module: task.module, name: task.name, args });
  }

  /** Kills the process; calls are rejected when it is gone. The first verdict stands. */
  end(verdict: Verdict): Promise<void> {
    this.#verdict ??= verdict;
    this.#setRef(true);
    this.#process.kill('SIGKILL');
    return this.#ended;
  }

  #watch(): Promise<void> {
    const child = this.#process;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        const recent = this.#tail + text;
        // V8 prints a long stack trace behind it.
        this.#ranOut ||= /out of memory|bad_alloc/i.test(recent);
        this.#tail = recent.slice(-4000);
      });
    }
    child.on('message', (message: FromRunner) => this.#receive(message));
    return new Promise((resolve) => {
      let finished = false;
      const finish = (how: string) => {
        if (finished) return;
        finished = true;
        this.#finish(how);
        resolve();
      };
      child.on('error', (error) => finish(`could not be started: ${error.message}`));
      child.on('exit', (code, signal) => {
        this.#exited = true;
        const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
        child.on('close', () => finish(how));
        setTimeout(finish, drainMs, how).unref();
      });
    });
  }

  #receive(message: FromRunner): void {
    switch (message.kind) {
      case 'progress':
        this.#calls.get(message.id)?.onProgress?.(deserialize(message.value));
        break;
      case 'done':
        this.#settle(message.id)?.resolve(deserialize(message.value));
        break;
      case 'failed':
        this.#settle(message.id)?.reject(new TaskError(message.error));
        break;
      case 'broken':
        void this.end({
          reason: message.outOfMemory ? 'out-of-memory' : 'crashed',
          message: `a worker thread of the runner died: ${message.message}`,
        });
    }
  }

  #settle(id: number): Running | undefined {
    const call = this.#calls.get(id);
    clearTimeout(call?.timer);
    this.#calls.delete(id);
    if (this.#calls.size === 0 && !this.ending) this.#setRef(false);
    return call;
  }

  #finish(how: string): void {
    clearInterval(this.#memoryPoll);
    const verdict = this.#verdict ?? this.#explain(how);
    this.#verdict = verdict;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    this.#options.onEnd();
    for (const call of calls) {
      clearTimeout(call.timer);
      const { culprit, reason, message } = verdict;
      const guilty = culprit === undefined || culprit.task === call.task;
      call.reject(
        guilty
          ? new RunnerError(reason, message)
          : new RunnerError(
              'crashed',
              `the runner ended because of a call beside this one: ${message}`,
            ),
      );
    }
  }

  #explain(how: string): Verdict {
    const lines = this.#tail.trim().split('\n').slice(-tailLines).join('\n');
    const output = lines === '' ? '' : `; its last output:\n${lines}`;
    return {
      reason: this.#ranOut ? 'out-of-memory' : 'crashed',
      message: `the runner process ${how}${output}`,
    };
  }

  /** An idle runner does not keep the supervisor's process alive, nor is its memory watched. */
  #setRef(busy: boolean): void {
    const child = this.#process;
    const parts = [
      child,
      child.channel,
      child.stdout as Socket | null,
      child.stderr as Socket | null,
    ];
    for (const part of parts) busy ? part?.ref() : part?.unref();
    clearInterval(this.#memoryPoll);
    const limit = this.#options.memoryLimitBytes;
    if (busy && limit !== undefined) {
      this.#memoryPoll = setInterval(() => this.#checkMemory(limit), memoryPollMs);
    }
  }

  #checkMemory(limit: number): void {
    const bytes = readResidentBytes(this.#process.pid);
    if (bytes <= limit) return;
    void this.end({
      reason: 'out-of-memory',
      message: `the runner process used ${mebibytes(bytes)} of at most ${mebibytes(limit)}; it was killed`,
    });
  }
}

let madeFolder: string | undefined;

/**
 * A private folder until this process exits, for Vulkan drivers, which complain on standard error
 * where there is none.
 */
function runtimeFolder(): string {
  if (madeFolder !== undefined) return madeFolder;
  const folder = mkdtempSync(join(tmpdir(), 'archwright-runtime-'));
  madeFolder = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Resident bytes of a process; 0 where the system does not tell (only Linux does). */
function readResidentBytes(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
