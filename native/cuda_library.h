// libarchwright_cuda, opened at run time. Without it, or without a driver, everything else works.
#pragma once

#include <string>

#include "cuda/archwright_cuda.h"

namespace archwright {

struct CudaFunctions {
  decltype(&aw_cuda_abi_version) abiVersion;
  decltype(&aw_cuda_last_error) lastError;
  decltype(&aw_cuda_device_count) deviceCount;
  decltype(&aw_cuda_device_facts) deviceFacts;
  decltype(&aw_cuda_device_state) deviceState;
  decltype(&aw_cuda_sample) sample;
  decltype(&aw_cuda_kernel_supported) kernelSupported;
  decltype(&aw_cuda_matrix_rate) matrixRate;
  decltype(&aw_cuda_self_test) selfTest;
  decltype(&aw_cuda_flush_l2) flushL2;
  decltype(&aw_cuda_timer_create) timerCreate;
  decltype(&aw_cuda_timer_start) timerStart;
  decltype(&aw_cuda_timer_stop) timerStop;
  decltype(&aw_cuda_timer_elapsed) timerElapsed;
  decltype(&aw_cuda_timer_destroy) timerDestroy;
};

// Opens the library at `path`, once per process; later calls do nothing. Why it could not be opened,
// or "" if it is open.
std::string openCuda(const std::string& path);

// Functions of the opened library. Throws std::runtime_error before `openCuda` succeeded.
const CudaFunctions& cuda();

// Throws std::runtime_error with the library's message unless `status` is AW_CUDA_OK. To be called
// on the thread that got the status.
void checkCuda(aw_cuda_status status);

}  // namespace archwright
