// Errors of CUDA: one macro that throws, and one for destructors that does not.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

#include "archwright_cuda.h"

namespace archwright::cuda {

// Carries the status that the C interface returns.
class Error : public std::runtime_error {
 public:
  Error(aw_cuda_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  aw_cuda_status status() const { return status_; }

 private:
  aw_cuda_status status_;
};

inline aw_cuda_status toStatus(cudaError_t error) {
  switch (error) {
    case cudaErrorInsufficientDriver:
    case cudaErrorStubLibrary:
    case cudaErrorSystemDriverMismatch:
      return AW_CUDA_NO_DRIVER;
    case cudaErrorNoDevice:
      return AW_CUDA_NO_DEVICE;
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorUnsupportedPtxVersion:
      return AW_CUDA_UNSUPPORTED;
    default:
      return AW_CUDA_FAILED;
  }
}

[[noreturn]] inline void fail(cudaError_t error, const char* expression, const char* file,
                              int line) {
  cudaGetLastError();  // forget it, unless it is one that stays
  const char* slash = std::strrchr(file, '/');
  if (slash != nullptr) file = slash + 1;
  throw Error(toStatus(error), std::string(cudaGetErrorName(error)) + ": " +
                                   cudaGetErrorString(error) + " (" + expression + ", " + file +
                                   ":" + std::to_string(line) + ")");
}

inline void require(bool condition, const std::string& message) {
  if (!condition) throw Error(AW_CUDA_INVALID, message);
}

}  // namespace archwright::cuda

// Throws `Error` unless `expression` is cudaSuccess.
#define AW_CUDA_CHECK(expression)                                                     \
  do {                                                                                \
    const cudaError_t awStatus = (expression);                                        \
    if (awStatus != cudaSuccess) {                                                    \
      ::archwright::cuda::fail(awStatus, #expression, __FILE__, __LINE__);            \
    }                                                                                 \
  } while (false)

// For destructors: says what failed on standard error and goes on.
#define AW_CUDA_CHECK_NOTHROW(expression)                                             \
  do {                                                                                \
    const cudaError_t awStatus = (expression);                                        \
    if (awStatus != cudaSuccess) {                                                    \
      std::fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #expression,        \
                   cudaGetErrorString(awStatus));                                     \
    }                                                                                 \
  } while (false)
