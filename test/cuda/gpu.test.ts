/** On a GPU only. Rates are not asserted: `benchmarks/cuda-roofline.mjs` compares them. */
import { describe, expect, it } from 'vitest';
import {
  type CudaKernel,
  type CudaQuantity,
  cudaKernels,
  cudaQuantities,
  cudaTolerance,
} from '../../src/runtime/cuda.js';
import { library, noGpu } from './library.js';

const sizes = [
  { m: 1, n: 1, k: 1 },
  { m: 3, n: 5, k: 7 },
  { m: 127, n: 255, k: 33 },
  { m: 129, n: 257, k: 65 },
  { m: 64, n: 16, k: 1025 },
  { m: 512, n: 512, k: 512 },
  { m: 4100, n: 2050, k: 300 },
];

describe.skipIf(noGpu !== undefined)('on a GPU', () => {
  it.for(Object.keys(cudaKernels) as CudaKernel[])('%s multiplies right', async (kernel, test) => {
    const cuda = library();
    test.skip(!(await cuda.isSupported(0, kernel)), 'this GPU has not its unit');
    for (const [seed, size] of sizes.entries()) {
      const error = await cuda.selfTest(0, kernel, size, seed + 1);
      expect(error, JSON.stringify(size)).toBeLessThanOrEqual(cudaTolerance[kernel]);
    }
  });

  it.each(Object.keys(cudaQuantities) as CudaQuantity[])('samples %s', async (quantity) => {
    const samples = await library().sample(0, quantity, 1 << 20, 5);
    expect(samples).toHaveLength(5);
    for (const sample of samples) expect(sample).toBeGreaterThan(0);
  });

  it('gives rates of products', async () => {
    const rates = await library().matrixRate(0, 'float32', { m: 256, n: 256, k: 256 }, 200);
    expect(rates).toHaveLength(200);
    for (const rate of rates) expect(rate).toBeGreaterThan(0);
  });

  it('tells facts and state', async () => {
    const cuda = library();
    const [facts] = await cuda.devices();
    expect(facts?.multiprocessors).toBeGreaterThan(0);
    expect(facts?.l2Bytes).toBeGreaterThan(0);
    const state = await cuda.state(0);
    expect(state.memoryTotalBytes).toBeGreaterThan(0);
  });

  it('takes longer to flush a cache than nothing', async () => {
    expect(await library().flushL2(0)).toBeGreaterThan(0);
  });

  it('refuses what is out of range', async () => {
    const cuda = library();
    await expect(cuda.sample(0, 'copyDevice', 0, 1)).rejects.toThrow('size: expected at least 1');
    await expect(cuda.sample(0, 'copyKernel', 17, 1)).rejects.toThrow('a multiple of 16');
    await expect(cuda.flushL2(99)).rejects.toThrow('device: expected a number below');
    const size = { m: 0, n: 1, k: 1 };
    await expect(cuda.selfTest(0, 'float32', size, 1)).rejects.toThrow('expected 1 to 2^20');
  });
});
