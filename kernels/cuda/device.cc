#include "device.h"

#include <cstring>
#include <string>

#include "check.h"

namespace archwright::cuda {

int countDevices() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorInsufficientDriver) {
    int version = 0;
    if (cudaDriverGetVersion(&version) == cudaSuccess && version == 0) {
      throw Error(AW_CUDA_NO_DRIVER, "no NVIDIA driver was found (libcuda)");
    }
    throw Error(AW_CUDA_NO_DRIVER,
                "the NVIDIA driver is too old: it supports CUDA " +
                    std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10) +
                    ", this library needs " + std::to_string(CUDART_VERSION / 1000) + "." +
                    std::to_string(CUDART_VERSION % 1000 / 10));
  }
  AW_CUDA_CHECK(error);
  return count;
}

void requireDevice(int device) {
  const int count = countDevices();
  require(device >= 0 && device < count, "device: expected a number below " +
                                             std::to_string(count) + ", received " +
                                             std::to_string(device));
}

aw_cuda_facts readFacts(int device) {
  aw_cuda_facts facts{};
  cudaDeviceProp properties{};
  AW_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  static_assert(sizeof facts.name >= sizeof properties.name, "a name must fit");
  std::memcpy(facts.name, properties.name, sizeof properties.name);
  AW_CUDA_CHECK(cudaDeviceGetPCIBusId(facts.pci_bus_id, sizeof facts.pci_bus_id, device));
  const auto attribute = [&](cudaDeviceAttr which) {
    int value = 0;
    AW_CUDA_CHECK(cudaDeviceGetAttribute(&value, which, device));
    return value;
  };
  facts.capability_major = properties.major;
  facts.capability_minor = properties.minor;
  facts.multiprocessors = properties.multiProcessorCount;
  facts.sm_clock_khz = attribute(cudaDevAttrClockRate);
  facts.memory_clock_khz = attribute(cudaDevAttrMemoryClockRate);
  facts.memory_bus_bits = attribute(cudaDevAttrGlobalMemoryBusWidth);
  facts.ecc = attribute(cudaDevAttrEccEnabled);
  AW_CUDA_CHECK(cudaDriverGetVersion(&facts.driver_version));
  AW_CUDA_CHECK(cudaRuntimeGetVersion(&facts.runtime_version));
  facts.memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  facts.l2_bytes = properties.l2CacheSize;
  facts.shared_bytes_per_block = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  return facts;
}

}  // namespace archwright::cuda
