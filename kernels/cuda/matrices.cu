#include <cstring>

#include "matrices.h"

namespace archwright::cuda {
namespace {

constexpr int kThreads = 256;

// SplitMix64 (Steele, Lea and Flood, 2014).
__device__ inline uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// A standard normal number by Box and Muller (1958).
__device__ inline float drawNormal(uint64_t seed, uint64_t index) {
  const uint64_t bits = mix(mix(seed) ^ index);
  const float u = (static_cast<float>(bits >> 40) + 0.5f) * 0x1p-24f;
  const float v = static_cast<float>(bits & 0xFFFFFF) * 0x1p-24f;
  return sqrtf(-2 * logf(u)) * cospif(2 * v);
}

// To 11 significant bits, ties away from zero: what is left then is all that a tf32 unit reads.
__device__ inline float roundToTf32(float value) {
  return __uint_as_float((__float_as_uint(value) + 0x1000u) & ~0x1FFFu);
}

__device__ inline void put(float* to, float value, bool tf32) {
  *to = tf32 ? roundToTf32(value) : value;
}
__device__ inline void put(__nv_bfloat16* to, float value, bool) {
  *to = __float2bfloat16_rn(value);
}

template <class T>
__global__ void fillKernel(T* matrix, int rows, int columns, int ld, uint64_t seed, bool tf32) {
  const size_t count = static_cast<size_t>(rows) * ld;
  const size_t stride = static_cast<size_t>(gridDim.x) * blockDim.x;
  for (size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count;
       i += stride) {
    const bool padding = static_cast<int>(i % ld) >= columns;
    put(matrix + i, padding ? __int_as_float(0x7FC00000) : drawNormal(seed, i), tf32 && !padding);
  }
}

template <class T>
void fill(void* matrix, int rows, int columns, int ld, uint64_t seed, bool tf32,
          cudaStream_t stream) {
  fillKernel<T><<<1024, kThreads, 0, stream>>>(static_cast<T*>(matrix), rows, columns, ld, seed,
                                               tf32);
  AW_CUDA_CHECK(cudaGetLastError());
}

// Elements of a row of A or B: `k`, then at least one of padding, to a multiple of 16 bytes.
int paddedPitch(int k, size_t elementBytes) {
  const int per = static_cast<int>(16 / elementBytes);
  return (k / per + 1) * per;
}

size_t elementBytes(aw_cuda_kernel kernel) { return isBfloat16(kernel) ? 2 : 4; }

}  // namespace

Matrices::Matrices(aw_cuda_kernel kernel, int m, int n, int k, uint64_t seed, cudaStream_t stream)
    : kernel_(kernel),
      a_(static_cast<size_t>(m) * paddedPitch(k, elementBytes(kernel)) * elementBytes(kernel)),
      b_(static_cast<size_t>(n) * paddedPitch(k, elementBytes(kernel)) * elementBytes(kernel)),
      c_((static_cast<size_t>(m) * paddedPitch(n, elementBytes(kernel)) + kGuard) *
         elementBytes(kernel)) {
  const int pitch = paddedPitch(k, elementBytes(kernel));
  const int pitchC = paddedPitch(n, elementBytes(kernel));
  product_ = {m, n, k, pitch, pitch, pitchC, a_.get(), b_.get(), c_.get()};
  const size_t bytesC = (static_cast<size_t>(m) * pitchC + kGuard) * elementBytes(kernel);
  AW_CUDA_CHECK(cudaMemsetAsync(c_.get(), 0xFF, bytesC, stream));
  const uint64_t seedB = seed ^ 0x5851F42D4C957F2D;
  if (isBfloat16(kernel)) {
    fill<__nv_bfloat16>(a_.get(), m, k, pitch, seed, false, stream);
    fill<__nv_bfloat16>(b_.get(), n, k, pitch, seedB, false, stream);
  } else {
    fill<float>(a_.get(), m, k, pitch, seed, isTf32(kernel), stream);
    fill<float>(b_.get(), n, k, pitch, seedB, isTf32(kernel), stream);
  }
}

std::vector<float> Matrices::readA() const {
  return read(a_, static_cast<size_t>(product_.m) * product_.lda, isBfloat16(kernel_));
}

std::vector<float> Matrices::readB() const {
  return read(b_, static_cast<size_t>(product_.n) * product_.ldb, isBfloat16(kernel_));
}

std::vector<float> Matrices::readC() const {
  return read(c_, static_cast<size_t>(product_.m) * product_.ldc + kGuard, isBfloat16(kernel_));
}

std::vector<float> Matrices::read(const DeviceBuffer& buffer, size_t count,
                                  bool isBfloat16) const {
  std::vector<float> values(count);
  if (!isBfloat16) {
    AW_CUDA_CHECK(cudaMemcpy(values.data(), buffer.get(), count * 4, cudaMemcpyDeviceToHost));
    return values;
  }
  std::vector<uint16_t> bits(count);
  AW_CUDA_CHECK(cudaMemcpy(bits.data(), buffer.get(), count * 2, cudaMemcpyDeviceToHost));
  for (size_t i = 0; i < count; ++i) {
    const uint32_t wide = static_cast<uint32_t>(bits[i]) << 16;
    std::memcpy(&values[i], &wide, 4);
  }
  return values;
}

}  // namespace archwright::cuda
