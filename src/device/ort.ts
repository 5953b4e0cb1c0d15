/** Devices that ONNX Runtime drives: one family over its execution providers. */
import { UsageError } from '../errors.js';
import { loadHost, Runner, type SessionOptions } from '../runtime/runtime.js';
import type { Device, DeviceFacts } from './device.js';
import { describeHardware } from './hardware.js';
import { Lease } from './lease.js';
import { callHostProbe } from './probe.js';
import {
  type DeviceName,
  encodeOptions,
  type OptionValue,
  type ProviderId,
  type ProviderOptions,
  parseDeviceName,
} from './provider.js';
import { findVulkan } from './vulkan.js';

interface CommonOptions {
  /** Threads of what runs on the CPU (default: the cores that this process may use). */
  readonly threads?: number;
  /** See `RunnerOptions.memoryLimitBytes`. */
  readonly memoryLimitBytes?: number;
}

/** A device and its options: `{ id: 'cuda:1', options: { graph: true } }`. */
export type DeviceOptions =
  | (CommonOptions & { readonly id?: 'cpu'; readonly options?: ProviderOptions<'cpu'> })
  | {
      [P in Exclude<ProviderId, 'cpu'>]: CommonOptions & {
        readonly id: P | `${P}:${number}`;
        readonly options?: ProviderOptions<P>;
      };
    }[Exclude<ProviderId, 'cpu'>];

/** The same with names and values as a person wrote them, not yet known to be right. */
export interface LooseDeviceOptions extends CommonOptions {
  readonly id: string;
  readonly options?: Readonly<Record<string, OptionValue>>;
}

/**
 * A device of this machine, the CPU by default. Starts no process before its first use, and so does
 * not find out whether the device is usable: `checkUsable` does. Throws `UsageError` for an id or an
 * option that there is not.
 */
export function createDevice(options: DeviceOptions | LooseDeviceOptions = {}): Device {
  const name = parseDeviceName(options.id ?? 'cpu', 'device');
  const { memoryLimitBytes } = options;
  const threads = options.threads ?? loadHost().hostFacts().availableCores;
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new UsageError(`device threads: expected a whole number from 1, received ${threads}`);
  }
  const encoded = encodeOptions(name, options.options ?? {});
  const runner = new Runner(memoryLimitBytes === undefined ? {} : { memoryLimitBytes });
  return Object.freeze({
    id: name.id,
    provider: encoded.provider,
    threads,
    runner,
    sessionOptions({ config, ...overrides }: Partial<SessionOptions> = {}): SessionOptions {
      const entries = { ...encoded.config, ...config };
      return {
        threads,
        optimization: 'all',
        ...encoded,
        ...overrides,
        ...(Object.keys(entries).length > 0 && { config: entries }),
      };
    },
    async describe(): Promise<DeviceFacts> {
      const { runtimeVersion, host } = await callHostProbe(runner);
      const { provider } = encoded;
      return {
        id: name.id,
        provider,
        threads,
        runtimeVersion,
        ...describeHardware(name, host),
        host,
      };
    },
    lease<T>(work: () => Promise<T>, onWait?: (message: string) => void): Promise<T> {
      return Lease.holdAll(leaseIds(name), work, onWait);
    },
    close: () => runner.close(),
  });
}

/** One id per physical device; every device is fed by the CPU, and some are the CPU. */
function leaseIds({ provider, number }: DeviceName): readonly string[] {
  switch (provider) {
    case 'cpu':
      return ['cpu'];
    case 'cuda':
    case 'tensorrt':
      return [`cuda-${number}`, 'cpu'];
    case 'dml':
      return [`dml-${number}`, 'cpu'];
    case 'webgpu':
      return findVulkan().software ? ['cpu'] : ['gpu', 'cpu'];
    case 'coreml':
      return ['gpu', 'cpu'];
  }
}
