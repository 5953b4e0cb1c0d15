// What JavaScript sees of libarchwright_cuda: the object `cuda` of the addon. Types are those of
// `src/runtime/cuda-binding.ts`. [sync] and [async] as in `addon.h`; all but `open` need it to have
// succeeded, and throw (or reject with) an Error of the library's message.
//
//   [sync]  open(path) → null, or why the library could not be opened.
//   [async] devices() → CudaFacts[]. Throws: no driver, one too old, no device.
//   [async] state(device) → CudaState. Throws: no NVML.
//   [async] sample(device, quantity, size, count) → Float64Array.
//   [async] isSupported(device, kernel) → boolean.
//   [async] matrixRate(device, kernel, m, n, k, count) → Float64Array.
//   [async] selfTest(device, kernel, m, n, k, seed) → number, the largest relative error.
//   [async] flushL2(device) → number, nanoseconds that it took the device.
#pragma once

#include <napi.h>

namespace archwright {

Napi::Object createCuda(Napi::Env env);

}  // namespace archwright
