/** Devices that ONNX Runtime drives: the CPU, and what else its library has compiled in. */
import { errorMessage, UsageError } from '../errors.js';
import { loadHost, Runner, type SessionOptions } from '../runtime/runtime.js';
import type { Device, DeviceFacts, DeviceListing } from './device.js';
import { Lease } from './lease.js';
import type { Probe } from './probe-task.js';

export interface CpuDeviceOptions {
  /** Intra-op threads (default: the cores that this process may use). */
  readonly threads?: number;
  /** See `RunnerOptions.memoryLimitBytes`. */
  readonly memoryLimitBytes?: number;
}

/** A probe answers in well under a second; past this the library hangs. */
const probeTimeoutMs = 30_000;

/** The CPU of this machine. Starts no process before its first use. */
export function createCpuDevice(options: CpuDeviceOptions = {}): Device {
  const { memoryLimitBytes } = options;
  const threads = options.threads ?? loadHost().hostFacts().availableCores;
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new UsageError(`device threads: expected a whole number from 1, received ${threads}`);
  }
  const lease = new Lease('cpu');
  const runner = new Runner(memoryLimitBytes === undefined ? {} : { memoryLimitBytes });
  const provider = 'cpu';
  return Object.freeze({
    id: 'cpu',
    provider,
    threads,
    runner,
    sessionOptions(overrides: Partial<SessionOptions> = {}): SessionOptions {
      return { threads, optimization: 'all', provider, ...overrides };
    },
    async describe(): Promise<DeviceFacts> {
      const { runtimeVersion, host } = await callProbe(runner);
      return { id: 'cpu', provider, threads, runtimeVersion, host };
    },
    lease: lease.hold.bind(lease),
    close: () => runner.close(),
  });
}

/** Every device that the library knows, probed in a process of its own; never rejects. */
export async function listDevices(): Promise<DeviceListing[]> {
  const runner = new Runner();
  try {
    const { runtimeVersion, providers, host } = await callProbe(runner);
    const threads = host.availableCores;
    const facts = { id: 'cpu', provider: 'cpu', threads, runtimeVersion, host };
    const others = providers.filter((provider) => provider !== 'CPUExecutionProvider');
    return [{ id: 'cpu', usable: true, facts }, ...others.map(unsupported)];
  } catch (error) {
    const fix = 'see `archwright doctor`, or reinstall: npm ci';
    return [{ id: 'cpu', usable: false, reason: errorMessage(error), fix }];
  } finally {
    await runner.close();
  }
}

function unsupported(provider: string): DeviceListing {
  return {
    id: provider.replace(/ExecutionProvider$/, '').toLowerCase(),
    usable: false,
    reason: 'not supported by this version of Archwright',
    fix: 'use the device cpu',
  };
}

function callProbe(runner: Runner): Promise<Probe> {
  const module = new URL('probe-task.js', import.meta.url).href;
  return runner.call<Probe>({ module, name: 'probe', args: null }, { timeoutMs: probeTimeoutMs });
}
