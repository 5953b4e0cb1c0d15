/**
 * The contract of the addon's object `cuda` (`native/cuda_addon.h`): types only. Behind it is
 * libarchwright_cuda (`kernels/cuda/archwright_cuda.h`). `cuda.ts` opens it.
 */

/** What a GPU is. */
export interface CudaFacts {
  readonly name: string;
  readonly pciBusId: string;
  /** Compute capability, such as `9.0`. */
  readonly capability: string;
  readonly multiprocessors: number;
  /** Highest clocks. */
  readonly smClockMhz: number;
  readonly memoryClockMhz: number;
  readonly memoryBusBits: number;
  readonly ecc: boolean;
  /** Versions of CUDA that the driver supports and the library was built with: 13000 is 13.0. */
  readonly driverVersion: number;
  readonly runtimeVersion: number;
  readonly memoryBytes: number;
  readonly l2Bytes: number;
  readonly sharedBytesPerBlock: number;
}

/** What NVML tells of a GPU right now; null where it does not. */
export interface CudaState {
  /** NVML's bit mask of why the clocks are lower than they could be. */
  readonly clockEventReasons: number | null;
  readonly powerMilliwatts: number | null;
  /** Since the driver was loaded. */
  readonly energyMillijoules: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly smClockMhz: number | null;
  readonly memoryClockMhz: number | null;
  readonly temperatureCelsius: number | null;
  readonly utilizationPercent: number | null;
}

export interface CudaAddon {
  /** Null, or why the library at `path` could not be opened. */
  open(path: string): string | null;
  /** Rejects where there is no driver, one too old, or no device. */
  devices(): Promise<CudaFacts[]>;
  state(device: number): Promise<CudaState>;
  sample(device: number, quantity: number, size: number, count: number): Promise<Float64Array>;
  isSupported(device: number, kernel: number): Promise<boolean>;
  matrixRate(
    device: number,
    kernel: number,
    m: number,
    n: number,
    k: number,
    count: number,
  ): Promise<Float64Array>;
  selfTest(
    device: number,
    kernel: number,
    m: number,
    n: number,
    k: number,
    seed: number,
  ): Promise<number>;
  flushL2(device: number): Promise<number>;
}
