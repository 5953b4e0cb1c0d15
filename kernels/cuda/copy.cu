// Copies within the device and between it and the host, and the flush of the L2 cache.
#include <cstring>
#include <string>

#include "sample.h"

namespace archwright::cuda {
namespace {

constexpr int kThreads = 512;
// 16-byte loads that a thread has under way at once.
constexpr int kLoads = 4;
// Bytes at either end of a copy that are compared with the source before it is timed.
constexpr size_t kCheckedBytes = size_t{1} << 20;

__global__ void __launch_bounds__(kThreads) copyKernel(uint4* to, const uint4* from, size_t count) {
  const size_t tile = static_cast<size_t>(kThreads) * kLoads;
  const size_t first = blockIdx.x * tile + threadIdx.x;
  uint4 values[kLoads];
#pragma unroll
  for (int i = 0; i < kLoads; ++i) {
    const size_t at = first + static_cast<size_t>(i) * kThreads;
    if (at < count) values[i] = __ldcs(from + at);
  }
#pragma unroll
  for (int i = 0; i < kLoads; ++i) {
    const size_t at = first + static_cast<size_t>(i) * kThreads;
    if (at < count) __stcs(to + at, values[i]);
  }
}

void launchCopy(void* to, const void* from, size_t bytes, cudaStream_t stream) {
  const size_t count = bytes / sizeof(uint4);
  const size_t tile = static_cast<size_t>(kThreads) * kLoads;
  const auto blocks = static_cast<unsigned>((count + tile - 1) / tile);
  copyKernel<<<blocks, kThreads, 0, stream>>>(static_cast<uint4*>(to),
                                              static_cast<const uint4*>(from), count);
  AW_CUDA_CHECK(cudaGetLastError());
}

// Throws unless `to` holds what `from` does, at both ends.
void requireCopied(const DeviceBuffer& to, const DeviceBuffer& from, size_t bytes) {
  const size_t checked = bytes < kCheckedBytes ? bytes : kCheckedBytes;
  std::vector<char> expected(checked);
  std::vector<char> found(checked);
  for (const size_t at : {size_t{0}, bytes - checked}) {
    AW_CUDA_CHECK(cudaMemcpy(expected.data(), from.as<char>() + at, checked,
                             cudaMemcpyDeviceToHost));
    AW_CUDA_CHECK(cudaMemcpy(found.data(), to.as<char>() + at, checked, cudaMemcpyDeviceToHost));
    if (std::memcmp(expected.data(), found.data(), checked) != 0) {
      throw Error(AW_CUDA_FAILED, "a copy within the device differs from its source");
    }
  }
}

// Bytes that tell their place: 32-bit words of a multiplicative sequence.
std::vector<uint32_t> createPattern(size_t bytes) {
  std::vector<uint32_t> words((bytes + 3) / 4);
  for (size_t i = 0; i < words.size(); ++i) words[i] = static_cast<uint32_t>(i) * 2654435761u + 1;
  return words;
}

void sampleWithin(bool byKernel, size_t bytes, int count, double* samples) {
  require(bytes % sizeof(uint4) == 0, "size: expected a multiple of 16 bytes, received " +
                                          std::to_string(bytes));
  const Stream stream;
  const DeviceBuffer from(bytes);
  const DeviceBuffer to(bytes);
  const std::vector<uint32_t> pattern = createPattern(bytes);
  AW_CUDA_CHECK(cudaMemcpy(from.get(), pattern.data(), bytes, cudaMemcpyHostToDevice));
  AW_CUDA_CHECK(cudaMemset(to.get(), 0xFF, bytes));
  const auto copy = [&] {
    if (byKernel) {
      launchCopy(to.get(), from.get(), bytes, stream.get());
    } else {
      AW_CUDA_CHECK(cudaMemcpyAsync(to.get(), from.get(), bytes, cudaMemcpyDeviceToDevice,
                                    stream.get()));
    }
  };
  AW_CUDA_CHECK(cudaDeviceSynchronize());  // the stream does not wait for the default one
  copy();
  stream.wait();
  requireCopied(to, from, bytes);
  const std::vector<double> ns = sampleOnDevice(copy, count, stream);
  for (int i = 0; i < count; ++i) {
    samples[i] = 2.0 * static_cast<double>(bytes) / (ns[static_cast<size_t>(i)] / 1e9);
  }
}

void samplePinned(cudaMemcpyKind kind, size_t bytes, int count, double* samples) {
  const Stream stream;
  const DeviceBuffer device(bytes);
  const PinnedBuffer host(bytes);
  std::memset(host.get(), 0x5A, bytes);
  AW_CUDA_CHECK(cudaMemset(device.get(), 0xA5, bytes));
  AW_CUDA_CHECK(cudaDeviceSynchronize());
  void* to = kind == cudaMemcpyHostToDevice ? device.get() : host.get();
  const void* from = kind == cudaMemcpyHostToDevice ? host.get() : device.get();
  const std::vector<double> ns = sampleOnDevice(
      [&] { AW_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, kind, stream.get())); }, count, stream);
  for (int i = 0; i < count; ++i) {
    samples[i] = static_cast<double>(bytes) / (ns[static_cast<size_t>(i)] / 1e9);
  }
}

// By the host's clock: such a copy goes through a buffer of the driver's and returns at its end.
void samplePageable(cudaMemcpyKind kind, size_t bytes, int count, double* samples) {
  const DeviceBuffer device(bytes);
  std::vector<char> host(bytes, 0x5A);
  void* to = kind == cudaMemcpyHostToDevice ? device.get() : host.data();
  const void* from = kind == cudaMemcpyHostToDevice ? host.data() : device.get();
  AW_CUDA_CHECK(cudaMemset(device.get(), 0xA5, bytes));
  for (int i = -kWarmupRuns; i < count; ++i) {
    AW_CUDA_CHECK(cudaDeviceSynchronize());
    const double begin = nowNs();
    AW_CUDA_CHECK(cudaMemcpy(to, from, bytes, kind));
    AW_CUDA_CHECK(cudaDeviceSynchronize());
    if (i >= 0) samples[i] = static_cast<double>(bytes) / ((nowNs() - begin) / 1e9);
  }
}

}  // namespace

void sampleCopy(aw_cuda_quantity quantity, size_t bytes, int count, double* samples) {
  switch (quantity) {
    case AW_CUDA_COPY_DEVICE:
      return sampleWithin(false, bytes, count, samples);
    case AW_CUDA_COPY_KERNEL:
      return sampleWithin(true, bytes, count, samples);
    case AW_CUDA_COPY_TO_DEVICE:
      return samplePinned(cudaMemcpyHostToDevice, bytes, count, samples);
    case AW_CUDA_COPY_TO_HOST:
      return samplePinned(cudaMemcpyDeviceToHost, bytes, count, samples);
    case AW_CUDA_PAGEABLE_TO_DEVICE:
      return samplePageable(cudaMemcpyHostToDevice, bytes, count, samples);
    default:
      return samplePageable(cudaMemcpyDeviceToHost, bytes, count, samples);
  }
}

void flushL2() {
  int device = 0;
  int bytes = 0;
  AW_CUDA_CHECK(cudaGetDevice(&device));
  AW_CUDA_CHECK(cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, device));
  if (bytes == 0) return;
  const size_t size = 2 * static_cast<size_t>(bytes);
  const DeviceBuffer buffer(size);
  AW_CUDA_CHECK(cudaMemset(buffer.get(), 0, size));
  AW_CUDA_CHECK(cudaDeviceSynchronize());
}

}  // namespace archwright::cuda
