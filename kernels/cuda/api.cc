// The C interface: arguments checked, exceptions turned into statuses, the device made current.
#include <exception>
#include <memory>
#include <new>
#include <string>

#include "archwright_cuda.h"
#include "device.h"
#include "gemm.h"
#include "nvml.h"
#include "resource.h"
#include "sample.h"

namespace cuda = archwright::cuda;

namespace {

thread_local std::string lastError;

// Runs `work`; its exceptions become a status and the thread's last error.
template <class Work>
aw_cuda_status guarded(const Work& work) noexcept {
  try {
    try {
      work();
      return AW_CUDA_OK;
    } catch (const cuda::Error& error) {
      lastError = error.what();
      return error.status();
    } catch (const std::exception& error) {
      lastError = error.what();
    }
  } catch (...) {
    // No memory was left for the message: what was said before must not be taken for it.
    lastError.clear();
  }
  return AW_CUDA_FAILED;
}

// The same with `device` current, which must exist.
template <class Work>
aw_cuda_status guardedOn(int32_t device, const Work& work) noexcept {
  return guarded([&] {
    cuda::requireDevice(device);
    const cuda::DeviceGuard guard(device);
    work();
  });
}

constexpr int64_t kMaxSide = 1 << 20;

void requireSamples(int32_t count, const double* samples) {
  cuda::require(count > 0, "count: expected at least 1, received " + std::to_string(count));
  cuda::require(samples != nullptr, "samples: expected an array, received null");
}

void requireProduct(int32_t device, aw_cuda_kernel kernel, int64_t m, int64_t n, int64_t k) {
  for (const int64_t side : {m, n, k}) {
    cuda::require(side > 0 && side <= kMaxSide,
                  "m, n, k: expected 1 to 2^20, received " + std::to_string(side));
  }
  if (!cuda::isSupported(kernel, device)) {
    throw cuda::Error(AW_CUDA_UNSUPPORTED, "kernel " + std::to_string(kernel) +
                                               " does not run on this device");
  }
}

}  // namespace

struct aw_cuda_timer {
  int32_t device;
  cuda::EventTimer events;
};

extern "C" {

int32_t aw_cuda_abi_version(void) { return AW_CUDA_ABI_VERSION; }

const char* aw_cuda_last_error(void) { return lastError.c_str(); }

aw_cuda_status aw_cuda_device_count(int32_t* count) {
  return guarded([&] {
    cuda::require(count != nullptr, "count: expected a place, received null");
    *count = cuda::countDevices();
  });
}

aw_cuda_status aw_cuda_device_facts(int32_t device, aw_cuda_facts* facts) {
  return guardedOn(device, [&] {
    cuda::require(facts != nullptr, "facts: expected a place, received null");
    *facts = cuda::readFacts(device);
  });
}

aw_cuda_status aw_cuda_device_state(int32_t device, aw_cuda_state* state) {
  return guardedOn(device, [&] {
    cuda::require(state != nullptr, "state: expected a place, received null");
    *state = cuda::readState(cuda::readFacts(device).pci_bus_id);
  });
}

aw_cuda_status aw_cuda_sample(int32_t device, aw_cuda_quantity quantity, int64_t size,
                              int32_t count, double* samples) {
  return guardedOn(device, [&] {
    requireSamples(count, samples);
    cuda::require(quantity >= AW_CUDA_COPY_DEVICE && quantity <= AW_CUDA_SM_CLOCK,
                  "there is no quantity " + std::to_string(quantity));
    const bool sized = quantity <= AW_CUDA_PAGEABLE_TO_HOST || quantity == AW_CUDA_SM_CLOCK;
    cuda::require(!sized || size > 0, "size: expected at least 1, received " +
                                          std::to_string(size));
    if (quantity <= AW_CUDA_PAGEABLE_TO_HOST) {
      cuda::sampleCopy(quantity, static_cast<size_t>(size), count, samples);
    } else if (quantity == AW_CUDA_SM_CLOCK) {
      cuda::sampleClock(static_cast<double>(size), count, samples);
    } else {
      cuda::sampleLaunch(quantity, count, samples);
    }
  });
}

aw_cuda_status aw_cuda_kernel_supported(int32_t device, aw_cuda_kernel kernel,
                                        int32_t* supported) {
  return guardedOn(device, [&] {
    cuda::require(supported != nullptr, "supported: expected a place, received null");
    *supported = cuda::isSupported(kernel, device) ? 1 : 0;
  });
}

aw_cuda_status aw_cuda_matrix_rate(int32_t device, aw_cuda_kernel kernel, int64_t m, int64_t n,
                                   int64_t k, int32_t count, double* samples) {
  return guardedOn(device, [&] {
    requireSamples(count, samples);
    requireProduct(device, kernel, m, n, k);
    cuda::sampleMatrixRate(kernel, static_cast<int>(m), static_cast<int>(n), static_cast<int>(k),
                           count, samples);
  });
}

aw_cuda_status aw_cuda_self_test(int32_t device, aw_cuda_kernel kernel, int64_t m, int64_t n,
                                 int64_t k, uint64_t seed, double* error) {
  return guardedOn(device, [&] {
    cuda::require(error != nullptr, "error: expected a place, received null");
    requireProduct(device, kernel, m, n, k);
    *error = cuda::selfTest(kernel, static_cast<int>(m), static_cast<int>(n), static_cast<int>(k),
                            seed);
  });
}

aw_cuda_status aw_cuda_flush_l2(int32_t device) {
  return guardedOn(device, [] { cuda::flushL2(); });
}

aw_cuda_status aw_cuda_timer_create(int32_t device, aw_cuda_timer** timer) {
  return guardedOn(device, [&] {
    cuda::require(timer != nullptr, "timer: expected a place, received null");
    *timer = new aw_cuda_timer{device, {}};
  });
}

aw_cuda_status aw_cuda_timer_start(aw_cuda_timer* timer, void* stream) {
  return guarded([&] {
    cuda::require(timer != nullptr, "timer: expected one, received null");
    const cuda::DeviceGuard guard(timer->device);
    timer->events.start(static_cast<cudaStream_t>(stream));
  });
}

aw_cuda_status aw_cuda_timer_stop(aw_cuda_timer* timer, void* stream) {
  return guarded([&] {
    cuda::require(timer != nullptr, "timer: expected one, received null");
    const cuda::DeviceGuard guard(timer->device);
    timer->events.stop(static_cast<cudaStream_t>(stream));
  });
}

aw_cuda_status aw_cuda_timer_elapsed(aw_cuda_timer* timer, double* ns) {
  return guarded([&] {
    cuda::require(timer != nullptr && ns != nullptr, "timer, ns: expected both, received null");
    *ns = timer->events.elapsedNs();
  });
}

void aw_cuda_timer_destroy(aw_cuda_timer* timer) { delete timer; }

}  // extern "C"
