import { type Feeds, type HostTensor, RunnerError, TaskError } from '../runtime/runtime.js';
import type { Device } from './device.js';
import type { RunArgs } from './run-task.js';

/** Loads a model on the device, runs it once and gives all outputs by name. Takes no lease. */
export function runModel(
  device: Device,
  model: Uint8Array,
  feeds: Feeds,
): Promise<Record<string, HostTensor>> {
  const args: RunArgs = { model, feeds, options: device.sessionOptions() };
  return device.runner.call<Record<string, HostTensor>>({
    module: new URL('./run-task.js', import.meta.url).href,
    name: 'runTask',
    args,
  });
}

/**
 * Whether an error tells of the work that was given to a device (it crashed, hung, ran out of
 * memory, was refused) and not of the device or of ourselves.
 */
export function isWorkFailure(error: unknown): error is RunnerError | TaskError {
  return (error instanceof RunnerError && error.reason !== 'closed') || error instanceof TaskError;
}
