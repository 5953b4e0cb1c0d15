/**
 * The CUDA measuring library, where it has been built (`npm run build:cuda`). Absent is a reason, not
 * an exception. Its calls run in this process: a fault of a driver ends it, so use a `Runner`.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ArchwrightError, errorMessage } from '../errors.js';
import { loadHost } from './binding.js';
import type { CudaAddon, CudaFacts, CudaState } from './cuda-binding.js';

/** What can be sampled, in the unit of its samples: bytes a second, nanoseconds, or hertz. */
export const cudaQuantities = {
  copyDevice: 0,
  copyKernel: 1,
  copyToDevice: 2,
  copyToHost: 3,
  pageableToDevice: 4,
  pageableToHost: 5,
  launchEnqueueNs: 6,
  launchStartNs: 7,
  launchRoundTripNs: 8,
  smClockHz: 9,
} as const;
export type CudaQuantity = keyof typeof cudaQuantities;

/** Matrix kernels of the library: the type of the numbers, and how they are multiplied. */
export const cudaKernels = {
  float32: 0,
  'tf32-mma': 1,
  'bf16-mma': 2,
  'tf32-wgmma': 3,
  'bf16-wgmma': 4,
} as const;
export type CudaKernel = keyof typeof cudaKernels;

/**
 * Error up to which a kernel passes its self-test, relative to the sum of magnitudes: rounding, and a
 * margin. A wrong element is off by a hundredth and more.
 */
export const cudaTolerance: Readonly<Record<CudaKernel, number>> = {
  float32: 2 ** -20,
  'tf32-mma': 2 ** -18,
  'bf16-mma': 2 ** -8,
  'tf32-wgmma': 2 ** -18,
  'bf16-wgmma': 2 ** -8,
};

/** Rows of A and C, columns of C (rows of B), and the length of the sums. */
export interface ProductSize {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** The opened library. Every method throws `ArchwrightError` with the library's message. */
export interface CudaLibrary {
  readonly usable: true;
  devices(): Promise<CudaFacts[]>;
  state(device: number): Promise<CudaState>;
  /** `size` in bytes for copies, in nanoseconds to watch for the clock, else unused. */
  sample(
    device: number,
    quantity: CudaQuantity,
    size: number,
    count: number,
  ): Promise<Float64Array>;
  isSupported(device: number, kernel: CudaKernel): Promise<boolean>;
  /** Operations a second of `count` products. */
  matrixRate(
    device: number,
    kernel: CudaKernel,
    size: ProductSize,
    count: number,
  ): Promise<Float64Array>;
  /** Largest error of a product of random matrices, relative to the sum of magnitudes. */
  selfTest(device: number, kernel: CudaKernel, size: ProductSize, seed: number): Promise<number>;
  /** Overwrites the L2 cache; nanoseconds that it took the device. */
  flushL2(device: number): Promise<number>;
}

/** Why the library cannot be used here, and what to do. */
export interface CudaAbsence {
  readonly usable: false;
  readonly reason: string;
  readonly fix: string;
}

const libraryNames: Readonly<Record<string, string>> = {
  linux: 'libarchwright_cuda.so',
  win32: 'archwright_cuda.dll',
};

/** Opens the library, once per process. Whether there is a driver shows in its first call. */
export function openCuda(): CudaLibrary | CudaAbsence {
  const name = libraryNames[process.platform];
  if (name === undefined) {
    const reason = `there is no CUDA for ${process.platform}`;
    return { usable: false, reason, fix: 'use Linux or Windows' };
  }
  const path = fileURLToPath(new URL(`../../build/cuda/${name}`, import.meta.url));
  const fix = 'build it with `npm run build:cuda`, which needs nvcc of CUDA 12.8 or later';
  if (!existsSync(path)) return { usable: false, reason: `${path} has not been built`, fix };
  const { cuda } = loadHost();
  const reason = cuda.open(path);
  return reason === null ? createLibrary(cuda) : { usable: false, reason, fix };
}

function createLibrary(cuda: CudaAddon): CudaLibrary {
  return Object.freeze<CudaLibrary>({
    usable: true,
    devices: () => named(cuda.devices()),
    state: (device) => named(cuda.state(device)),
    sample: (device, quantity, size, count) =>
      named(cuda.sample(device, cudaQuantities[quantity], size, count)),
    isSupported: (device, kernel) => named(cuda.isSupported(device, cudaKernels[kernel])),
    matrixRate: (device, kernel, { m, n, k }, count) =>
      named(cuda.matrixRate(device, cudaKernels[kernel], m, n, k, count)),
    selfTest: (device, kernel, { m, n, k }, seed) =>
      named(cuda.selfTest(device, cudaKernels[kernel], m, n, k, seed)),
    flushL2: (device) => named(cuda.flushL2(device)),
  });
}

async function named<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new ArchwrightError(`CUDA: ${errorMessage(cause)}`, { cause });
  }
}
