/** The roofline of an NVIDIA GPU by the CUDA library's own kernels. */

import { ArchwrightError } from '../errors.js';
import { type CudaKernel, type CudaLibrary, cudaTolerance } from '../runtime/runtime.js';
import type { Peak, Roofline } from './roofline.js';
import { summarizePeak } from './roofline-probe.js';

/** Large enough that starting and ending do not matter, small enough for every GPU's memory. */
const SIZE = { m: 8192, n: 8192, k: 8192 };
const PRODUCTS = 20;
/** Products that a kernel must get right before it is timed: one odd, one of many tiles. */
const CHECKED = [
  { m: 131, n: 259, k: 77 },
  { m: 1024, n: 1280, k: 1000 },
];
const COPY_BYTES = 2 ** 30;
const COPIES = 50;

/** Kernels that reach for the same unit; the better one counts. */
const units = {
  float32: ['float32'],
  tf32: ['tf32-mma', 'tf32-wgmma'],
  bfloat16: ['bf16-mma', 'bf16-wgmma'],
} as const satisfies Readonly<Record<string, readonly CudaKernel[]>>;

/**
 * The GPU's roofline; undefined where the library has no code for it (before compute capability 8.0).
 * Throws `ArchwrightError` where there is no driver or device, or a kernel fails its self-test.
 */
export async function measureCudaRoofline(
  cuda: CudaLibrary,
  device: number,
): Promise<Roofline | undefined> {
  const facts = (await cuda.devices())[device];
  if (facts === undefined) throw new ArchwrightError(`CUDA: there is no device ${device}`);
  const float32 = await measureUnit(cuda, device, units.float32);
  if (float32 === undefined) return undefined;
  const tf32 = await measureUnit(cuda, device, units.tf32);
  const bfloat16 = await measureUnit(cuda, device, units.bfloat16);
  const copies = [
    ...(await cuda.sample(device, 'copyKernel', COPY_BYTES, COPIES)),
    ...(await cuda.sample(device, 'copyDevice', COPY_BYTES, COPIES)),
  ];
  return {
    source: 'cuda',
    float32,
    ...(tf32 !== undefined && { tf32 }),
    ...(bfloat16 !== undefined && { bfloat16 }),
    bandwidth: summarizePeak(copies),
    cacheBytes: facts.l2Bytes,
    measuredAt: new Date().toISOString(),
  };
}

/** Peak of the best kernel that the device can run; undefined where it can run none. */
async function measureUnit(
  cuda: CudaLibrary,
  device: number,
  kernels: readonly CudaKernel[],
): Promise<Peak | undefined> {
  let best: Peak | undefined;
  for (const kernel of kernels) {
    if (!(await cuda.isSupported(device, kernel))) continue;
    await checkKernel(cuda, device, kernel);
    const peak = summarizePeak(await cuda.matrixRate(device, kernel, SIZE, PRODUCTS));
    if (best === undefined || peak.perSecond > best.perSecond) best = peak;
  }
  return best;
}

async function checkKernel(cuda: CudaLibrary, device: number, kernel: CudaKernel): Promise<void> {
  for (const [seed, size] of CHECKED.entries()) {
    const error = await cuda.selfTest(device, kernel, size, seed + 1);
    if (error <= cudaTolerance[kernel]) continue;
    const { m, n, k } = size;
    throw new ArchwrightError(
      `CUDA: ${kernel} failed its self-test at ${m} × ${n} × ${k}: error ${error}, ` +
        `expected at most ${cudaTolerance[kernel]}`,
    );
  }
}
