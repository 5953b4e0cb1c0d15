import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { describeCuda } from '../../src/device/cuda.js';
import { cudaKernels, cudaQuantities } from '../../src/runtime/cuda.js';
import { header, isBuilt, library, libraryPath, noGpu } from './library.js';

/** Values of the header's enumerators whose names begin so, in their order. */
function enumerators(names: RegExp): number[] {
  return [...header.matchAll(/^ {2}(AW_CUDA_\w+) = (\d+)/gm)].flatMap(([, name, value]) =>
    names.test(name as string) ? [Number(value)] : [],
  );
}

describe("the header's numbers", () => {
  it('are those of the kernels', () => {
    const kernels = enumerators(/^AW_CUDA_(FLOAT32|TF32_\w+|BF16_\w+)$/);
    expect(kernels).toEqual(Object.values(cudaKernels));
    expect(header).toContain(`#define AW_CUDA_KERNEL_COUNT ${kernels.length}\n`);
  });

  it('are those of the quantities', () => {
    const quantities = enumerators(/^AW_CUDA_(COPY|PAGEABLE|LAUNCH|SM_CLOCK)/);
    expect(quantities).toEqual(Object.values(cudaQuantities));
  });
});

describe.skipIf(!isBuilt)('the built library', () => {
  it('exports what the header declares, and nothing else', () => {
    const declared = [...header.matchAll(/^AW_CUDA_API [^(]*?\b(aw_cuda_\w+)\(/gm)].map(
      ([, name]) => name as string,
    );
    expect(declared.length).toBeGreaterThan(10);
    const table = execFileSync('nm', ['-D', '--defined-only', libraryPath], { encoding: 'utf8' });
    const exported = table
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ').at(-1));
    expect(exported.sort()).toEqual(declared.sort());
  });

  it('needs no library of CUDA to be there', () => {
    const needed = execFileSync('readelf', ['-d', libraryPath], { encoding: 'utf8' });
    const names = [...needed.matchAll(/NEEDED.*\[(.*)\]/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => /cuda|nv/.test(name as string))).toEqual([]);
  });

  it('describes the GPUs, or says why there are none', async () => {
    const listing = await describeCuda();
    if (noGpu === undefined) {
      expect(listing.usable).toBe(true);
    } else {
      expect(listing).toMatchObject({ usable: false, reason: noGpu });
      expect(listing).toHaveProperty('fix', expect.stringContaining('driver'));
    }
  });
});

describe.skipIf(!isBuilt || noGpu === undefined)('without a driver', () => {
  it('refuses every call with the same clear reason', async () => {
    const cuda = library();
    const size = { m: 16, n: 16, k: 16 };
    const calls = [
      cuda.devices(),
      cuda.state(0),
      cuda.sample(0, 'copyDevice', 1024, 3),
      cuda.isSupported(0, 'float32'),
      cuda.matrixRate(0, 'float32', size, 3),
      cuda.selfTest(0, 'float32', size, 1),
      cuda.flushL2(0),
    ];
    const results = await Promise.allSettled(calls);
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { message: noGpu } });
    }
    expect(noGpu).toMatch(/^CUDA: .*(driver|device)/);
  });
});
