#include "gemm.h"

#include <vector>

#include "matrices.h"
#include "sample.h"

namespace archwright::cuda {

void launchKernel(aw_cuda_kernel kernel, const Product& product, cudaStream_t stream) {
  switch (kernel) {
    case AW_CUDA_FLOAT32:
      return launchFloat32(product, stream);
    case AW_CUDA_TF32_MMA:
      return launchMma<Tf32>(product, stream);
    case AW_CUDA_BF16_MMA:
      return launchMma<__nv_bfloat16>(product, stream);
    case AW_CUDA_TF32_WGMMA:
      return launchWgmma<Tf32>(product, stream);
    case AW_CUDA_BF16_WGMMA:
      return launchWgmma<__nv_bfloat16>(product, stream);
    default:
      throw Error(AW_CUDA_INVALID, "there is no kernel " + std::to_string(kernel));
  }
}

bool isSupported(aw_cuda_kernel kernel, int device) {
  require(kernel >= 0 && kernel < AW_CUDA_KERNEL_COUNT,
          "there is no kernel " + std::to_string(kernel));
  int major = 0;
  int minor = 0;
  AW_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  AW_CUDA_CHECK(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
  if (kernel == AW_CUDA_TF32_WGMMA || kernel == AW_CUDA_BF16_WGMMA) return major == 9 && minor == 0;
  return major >= 8;
}

bool isBfloat16(aw_cuda_kernel kernel) {
  return kernel == AW_CUDA_BF16_MMA || kernel == AW_CUDA_BF16_WGMMA;
}

bool isTf32(aw_cuda_kernel kernel) {
  return kernel == AW_CUDA_TF32_MMA || kernel == AW_CUDA_TF32_WGMMA;
}

void sampleMatrixRate(aw_cuda_kernel kernel, int m, int n, int k, int count, double* samples) {
  const Stream stream;
  const Matrices matrices(kernel, m, n, k, /*seed=*/1, stream.get());
  const auto launch = [&] { launchKernel(kernel, matrices.product(), stream.get()); };
  const std::vector<double> ns = sampleOnDevice(launch, count, stream);
  const double operations = 2.0 * m * n * k;
  for (int i = 0; i < count; ++i) samples[i] = operations / (ns[static_cast<size_t>(i)] / 1e9);
}

}  // namespace archwright::cuda
