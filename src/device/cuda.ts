/** NVIDIA GPUs as the project's own CUDA library sees them, beside ONNX Runtime's providers. */
import { errorMessage } from '../errors.js';
import { type CudaAbsence, openCuda, Runner } from '../runtime/runtime.js';
import type { CudaDevice } from './cuda-task.js';

/** The library with its GPUs, or why it is not usable and what to do. */
export type CudaListing =
  | { readonly usable: true; readonly devices: readonly CudaDevice[] }
  | CudaAbsence;

/** The first call starts the driver, which may take seconds; past this it hangs. */
const probeTimeoutMs = 60_000;

/** Asks the library in a process of its own; never rejects. */
export async function describeCuda(): Promise<CudaListing> {
  const cuda = openCuda();
  if (!cuda.usable) return cuda;
  const runner = new Runner();
  try {
    const module = new URL('cuda-task.js', import.meta.url).href;
    const task = { module, name: 'listCudaDevices', args: null };
    const devices = await runner.call<CudaDevice[]>(task, { timeoutMs: probeTimeoutMs });
    return { usable: true, devices };
  } catch (error) {
    const fix = "install or update NVIDIA's driver, and see that nvidia-smi lists a GPU";
    return { usable: false, reason: errorMessage(error), fix };
  } finally {
    await runner.close();
  }
}
