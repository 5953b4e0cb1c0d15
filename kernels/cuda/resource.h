// What CUDA hands out, each freed by its owner. Owners can be moved, not copied.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

#include "check.h"

namespace archwright::cuda {

// Makes `device` the thread's current one, and the former one again at the end.
class DeviceGuard {
 public:
  explicit DeviceGuard(int device) {
    AW_CUDA_CHECK(cudaGetDevice(&former_));
    AW_CUDA_CHECK(cudaSetDevice(device));
  }
  DeviceGuard(const DeviceGuard&) = delete;
  DeviceGuard& operator=(const DeviceGuard&) = delete;
  ~DeviceGuard() { AW_CUDA_CHECK_NOTHROW(cudaSetDevice(former_)); }

 private:
  int former_ = 0;
};

// A handle with the function that frees it.
template <class Handle, cudaError_t (*Free)(Handle)>
class Owned {
 public:
  Owned() = default;
  Owned(Owned&& other) noexcept : handle_(std::exchange(other.handle_, Handle())) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (handle_ != Handle()) AW_CUDA_CHECK_NOTHROW(Free(handle_));
  }
  Handle get() const { return handle_; }

 protected:
  Handle handle_ = Handle();
};

class DeviceBuffer : public Owned<void*, cudaFree> {
 public:
  explicit DeviceBuffer(size_t bytes) { AW_CUDA_CHECK(cudaMalloc(&handle_, bytes)); }
  template <class T>
  T* as() const {
    return static_cast<T*>(handle_);
  }
};

// Page-locked host memory that the device sees too.
class PinnedBuffer : public Owned<void*, cudaFreeHost> {
 public:
  explicit PinnedBuffer(size_t bytes) {
    AW_CUDA_CHECK(cudaHostAlloc(&handle_, bytes, cudaHostAllocMapped));
  }
  template <class T>
  T* as() const {
    return static_cast<T*>(handle_);
  }
};

class Stream : public Owned<cudaStream_t, cudaStreamDestroy> {
 public:
  Stream() { AW_CUDA_CHECK(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking)); }
  void wait() const { AW_CUDA_CHECK(cudaStreamSynchronize(handle_)); }
};

class Event : public Owned<cudaEvent_t, cudaEventDestroy> {
 public:
  Event() { AW_CUDA_CHECK(cudaEventCreateWithFlags(&handle_, cudaEventDefault)); }
  void record(cudaStream_t stream) const { AW_CUDA_CHECK(cudaEventRecord(handle_, stream)); }
};

// The time between two points of a stream.
class EventTimer {
 public:
  void start(cudaStream_t stream) const { start_.record(stream); }
  void stop(cudaStream_t stream) const { stop_.record(stream); }
  // Waits for the stop. Half a microsecond is the clock's step.
  double elapsedNs() const {
    float ms = 0;
    AW_CUDA_CHECK(cudaEventSynchronize(stop_.get()));
    AW_CUDA_CHECK(cudaEventElapsedTime(&ms, start_.get(), stop_.get()));
    return static_cast<double>(ms) * 1e6;
  }

 private:
  Event start_;
  Event stop_;
};

}  // namespace archwright::cuda
