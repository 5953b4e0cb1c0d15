// Random matrices of one product in device memory.
#pragma once

#include <cstdint>
#include <vector>

#include "gemm.h"
#include "resource.h"

namespace archwright::cuda {

// A and B standard normal, rounded to what the kernel's unit reads, with NaN between k and the end of
// a row's padding; C poisoned with NaN, padding at the end of its rows and behind it included.
class Matrices {
 public:
  Matrices(aw_cuda_kernel kernel, int m, int n, int k, uint64_t seed, cudaStream_t stream);

  const Product& product() const { return product_; }

  // Host copies as float32; rows of lda, ldb, ldc elements, and `kGuard` more behind C.
  std::vector<float> readA() const;
  std::vector<float> readB() const;
  std::vector<float> readC() const;

  static constexpr int kGuard = 4096;

 private:
  std::vector<float> read(const DeviceBuffer& buffer, size_t count, bool isBfloat16) const;

  aw_cuda_kernel kernel_;
  DeviceBuffer a_, b_, c_;
  Product product_;
};

}  // namespace archwright::cuda
