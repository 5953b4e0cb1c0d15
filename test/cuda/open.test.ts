/** In a file, and so a process, of its own: the library is opened once per process. */
import { describe, expect, it } from 'vitest';
import { loadHost } from '../../src/runtime/runtime.js';

describe('opening a file that is not the library', () => {
  const { cuda } = loadHost();

  it('says why', () => {
    expect(cuda.open('/absent/libarchwright_cuda.so')).toMatch(/absent/);
    expect(cuda.open(process.execPath)).toEqual(expect.any(String));
  });

  it('leaves every call refused', async () => {
    await expect(cuda.devices()).rejects.toThrow('libarchwright_cuda is not open');
    await expect(cuda.flushL2(0)).rejects.toThrow('libarchwright_cuda is not open');
  });
});
