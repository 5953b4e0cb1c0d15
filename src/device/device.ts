/** What a target is: where models are loaded, trained and timed, and who may use it now. */
import type { HostFacts, Runner, SessionOptions } from '../runtime/runtime.js';

/** What a device says about itself. */
export interface DeviceFacts {
  readonly id: string;
  readonly provider: string;
  readonly threads: number;
  readonly runtimeVersion: string;
  /** Name of the processor that computes; null where neither provider nor system tells. */
  readonly adapter: string | null;
  /** Its driver: the manifests that `VK_DRIVER_FILES` names, or NVIDIA's version; else null. */
  readonly driver: string | null;
  /** A GPU's interface that computes on the CPU's cores. */
  readonly software: boolean;
  readonly host: HostFacts;
}

/** A device in use. Its work happens in the process of its runner. */
export interface Device {
  readonly id: string;
  /** Execution provider, as `SessionOptions.provider`. */
  readonly provider: string;
  /** Intra-op threads of its sessions. */
  readonly threads: number;
  readonly runner: Runner;
  /** Options of a session on this device. */
  sessionOptions(overrides?: Partial<SessionOptions>): SessionOptions;
  describe(): Promise<DeviceFacts>;
  /**
   * Runs `work` with the device to itself, and with the cores of this machine, from which a device
   * is fed: first come, first served within this process, and alone among the processes of this
   * machine. Training and measuring each hold the lease. `onWait` gets one line if another process
   * has the device. Caveat: a lease within a lease never starts.
   */
  lease<T>(work: () => Promise<T>, onWait?: (message: string) => void): Promise<T>;
  /** Ends the runner. */
  close(): Promise<void>;
}

/** A device as `archwright devices` lists it: usable, or why not and what to do. */
export type DeviceListing =
  | {
      readonly id: string;
      readonly usable: true;
      readonly facts: DeviceFacts;
      /** What it computes wrongly, a line each, with what helps. */
      readonly faults: readonly string[];
    }
  | { readonly id: string; readonly usable: false; readonly reason: string; readonly fix: string };
