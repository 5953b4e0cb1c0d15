/** What the CUDA tests can run here: said aloud where it is not everything. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CudaLibrary, openCuda } from '../../src/runtime/runtime.js';

const root = new URL('../../', import.meta.url);

export const libraryPath = fileURLToPath(new URL('build/cuda/libarchwright_cuda.so', root));
export const header = readFileSync(new URL('kernels/cuda/archwright_cuda.h', root), 'utf8');

/** Whether the library has been built. */
export const isBuilt = existsSync(libraryPath);
if (!isBuilt) console.warn('CUDA tests SKIPPED: not built, npm run build:cuda');

/** The opened library. */
export function library(): CudaLibrary {
  const opened = openCuda();
  if (!opened.usable) throw new Error(opened.reason);
  return opened;
}

/** Why no GPU can be used, or undefined where one can. */
export const noGpu: string | undefined = isBuilt ? await explainNoGpu() : 'not built';
if (noGpu !== undefined) console.warn(`CUDA tests on a GPU SKIPPED: ${noGpu}`);

async function explainNoGpu(): Promise<string | undefined> {
  try {
    await library().devices();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
