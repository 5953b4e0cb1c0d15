// Matrix products C[m,n] = A[m,k] B[n,k]^T: all row-major, accumulated in float32. Each kernel is an
// instrument of the roofline: it should come as near to the unit's rate as a kernel can.
#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

#include "archwright_cuda.h"

namespace archwright::cuda {

// A, B and C are aligned to 16 bytes, and so is each row of A and B: lda and ldb (in elements) are
// multiples of 16 bytes, ldc is even. What lies between k and lda is never used.
struct Product {
  int m, n, k;
  int lda, ldb, ldc;
  const void* a;
  const void* b;
  void* c;
};

// float32 numbers of which the tensor cores read the upper 19 bits.
struct Tf32 {};

// How the elements of a kernel are stored.
template <class T>
struct Storage {
  using In = T;
  using Out = T;
};
template <>
struct Storage<Tf32> {
  using In = float;
  using Out = float;
};

// Each launches on `stream` and returns; the device must support the kernel. Throw `Error`.
void launchFloat32(const Product& product, cudaStream_t stream);
template <class T>  // Tf32 or __nv_bfloat16
void launchMma(const Product& product, cudaStream_t stream);
template <class T>  // Tf32 or __nv_bfloat16
void launchWgmma(const Product& product, cudaStream_t stream);

// By the number of the kernel. Throw `Error` (AW_CUDA_INVALID) for one that does not exist.
void launchKernel(aw_cuda_kernel kernel, const Product& product, cudaStream_t stream);
bool isSupported(aw_cuda_kernel kernel, int device);
bool isBfloat16(aw_cuda_kernel kernel);
bool isTf32(aw_cuda_kernel kernel);

// Rates in operations a second, one per product.
void sampleMatrixRate(aw_cuda_kernel kernel, int m, int n, int k, int count, double* samples);

// See aw_cuda_self_test.
double selfTest(aw_cuda_kernel kernel, int m, int n, int k, uint64_t seed);

}  // namespace archwright::cuda
