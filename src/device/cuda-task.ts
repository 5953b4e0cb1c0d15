/** Run in a runner process: what the CUDA library says, without risk for the caller. */

import { ArchwrightError } from '../errors.js';
import { type CudaFacts, type CudaState, openCuda } from '../runtime/runtime.js';

/** A GPU, and what NVML tells of it right now: null where there is no NVML. */
export interface CudaDevice extends CudaFacts {
  readonly state: CudaState | null;
}

export async function listCudaDevices(): Promise<CudaDevice[]> {
  const cuda = openCuda();
  if (!cuda.usable) throw new ArchwrightError(cuda.reason);
  const devices = await cuda.devices();
  return Promise.all(
    devices.map(async (facts, index) => ({
      ...facts,
      state: await cuda.state(index).catch(() => null),
    })),
  );
}
