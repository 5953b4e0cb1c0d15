/** A worker thread of the runner process: imports the task's module and calls its function. */
import { deserialize, serialize } from 'node:v8';
import { parentPort } from 'node:worker_threads';
import { UsageError } from '../errors.js';
import {
  encodeError,
  type TaskContext,
  type WorkerProgress,
  type WorkerRequest,
  type WorkerResponse,
} from './runner-protocol.js';

/** Called by piscina. Never rejects for an error of the task: that is a response. */
export async function runTask({ task, shared }: WorkerRequest): Promise<WorkerResponse> {
  let progressCount = 0;
  const context: TaskContext = {
    shared(name) {
      const array = shared.get(name);
      if (array !== undefined) return array;
      const names = [...shared.keys()].map((key) => `"${key}"`).join(', ') || 'none';
      throw new UsageError(`shared array "${name}": expected one of ${names}`);
    },
    progress(value) {
      parentPort?.postMessage({ id: task.id, value: serialize(value) } satisfies WorkerProgress);
      progressCount++;
    },
  };
  try {
    const exported: unknown = (await import(task.module))[task.name];
    if (typeof exported !== 'function') {
      throw new UsageError(`${task.module}: expected an exported function "${task.name}"`);
    }
    const value: unknown = await exported(deserialize(task.args), context);
    return { progressCount, result: { value: serialize(value) } };
  } catch (error) {
    return { progressCount, result: { error: encodeError(error) } };
  }
}
