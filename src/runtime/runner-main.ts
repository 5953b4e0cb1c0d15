/**
 * The runner process: a piscina pool behind the messages of `runner-protocol.ts`. It never ends its
 * worker threads, since that aborts the process when one of them is inside ONNX Runtime: the
 * supervisor kills the process instead, and it kills itself when the supervisor is gone.
 */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { errorMessage } from '../errors.js';
import type { TensorData } from './binding-types.js';
import type {
  FromRunner,
  SerializedTask,
  ToRunner,
  WorkerProgress,
  WorkerRequest,
  WorkerResponse,
} from './runner-protocol.js';

const threads = Number(process.argv[2]);
const pool = new Piscina<WorkerRequest, WorkerResponse>({
  filename: fileURLToPath(new URL('runner-worker.js', import.meta.url)),
  name: 'runTask',
  minThreads: threads,
  maxThreads: threads,
  // Waiting with Atomics would stop a worker's event loop, and its finalizers, between tasks.
  atomics: 'disabled',
});
const shared = new Map<string, TensorData>();
const progress = new Map<number, { received: number; notify: () => void }>();

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C goes to the whole process group; the supervisor decides what it means.
process.on('SIGINT', () => {});
pool.on('error', reportBroken);
pool.on('message', ({ id, value }: WorkerProgress) => {
  send({ kind: 'progress', id, value });
  const entry = progress.get(id);
  if (entry === undefined) return;
  entry.received++;
  entry.notify();
});
process.on('message', (message: ToRunner) => {
  if (message.kind === 'share') shared.set(message.name, copyToShared(message.array));
  else if (message.kind === 'unshare') shared.delete(message.name);
  else void call(message);
});

async function call(task: SerializedTask): Promise<void> {
  const { id } = task;
  const entry = { received: 0, notify: () => {} };
  progress.set(id, entry);
  try {
    const { progressCount, result } = await pool.run({ task, shared });
    await new Promise<void>((resolve) => {
      entry.notify = () => {
        if (entry.received >= progressCount) resolve();
      };
      entry.notify();
    });
    if ('error' in result) send({ kind: 'failed', id, error: result.error });
    else send({ kind: 'done', id, value: result.value });
  } catch (error) {
    reportBroken(error); // errors of the task are responses: this is the death of its thread
  } finally {
    progress.delete(id);
  }
}

function reportBroken(error: unknown): void {
  const outOfMemory = (error as { code?: unknown })?.code === 'ERR_WORKER_OUT_OF_MEMORY';
  send({ kind: 'broken', outOfMemory, message: errorMessage(error) });
}

function send(message: FromRunner): void {
  process.send?.(message);
}

function copyToShared(array: TensorData): TensorData {
  const memory = new SharedArrayBuffer(array.byteLength);
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  new Uint8Array(memory).set(bytes);
  return new (array.constructor as new (buffer: SharedArrayBuffer) => TensorData)(memory);
}
