// How long it takes to start a kernel, and at which clock a multiprocessor runs.
#include "sample.h"

namespace archwright::cuda {
namespace {

constexpr int kWarmupLaunches = 100;

__global__ void emptyKernel() {}

__global__ void signalKernel(volatile uint32_t* flag, uint32_t value) {
  *flag = value;
  __threadfence_system();
}

__device__ inline uint64_t readGlobalTimer() {
  uint64_t ns;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
  return ns;
}

// Cycles and nanoseconds that pass between two ticks of the global timer, which counts in steps of
// up to a microsecond, at least `spinNs` apart.
__global__ void clockKernel(uint64_t spinNs, uint64_t* cycles, uint64_t* ns) {
  uint64_t before = readGlobalTimer();
  uint64_t begin = readGlobalTimer();
  while (begin == before) begin = readGlobalTimer();
  const auto beginCycle = clock64();
  uint64_t end = begin;
  while (end - begin < spinNs) {
    before = end;
    end = readGlobalTimer();
  }
  const auto endCycle = clock64();
  *cycles = static_cast<uint64_t>(endCycle - beginCycle);
  *ns = end - begin;
}

// From a launch to the host seeing the flag that the kernel wrote first.
double timeStart(volatile uint32_t* flag, uint32_t* onDevice, uint32_t value,
                 const Stream& stream) {
  const double begin = nowNs();
  signalKernel<<<1, 1, 0, stream.get()>>>(onDevice, value);
  double seen = nowNs();
  AW_CUDA_CHECK(cudaGetLastError());
  while (*flag != value) {
    seen = nowNs();
    // A kernel that failed never writes.
    if (seen - begin > 1e9) {
      AW_CUDA_CHECK(cudaStreamQuery(stream.get()));
      throw Error(AW_CUDA_FAILED, "a kernel did not start within a second");
    }
  }
  seen = nowNs();
  stream.wait();
  return seen - begin;
}

}  // namespace

void sampleLaunch(aw_cuda_quantity quantity, int count, double* samples) {
  const Stream stream;
  const PinnedBuffer flag(sizeof(uint32_t));
  *flag.as<volatile uint32_t>() = 0;
  void* onDevice = nullptr;
  AW_CUDA_CHECK(cudaHostGetDevicePointer(&onDevice, flag.get(), 0));
  for (int i = -kWarmupLaunches; i < count; ++i) {
    double ns = 0;
    if (quantity == AW_CUDA_LAUNCH_START) {
      ns = timeStart(flag.as<volatile uint32_t>(), static_cast<uint32_t*>(onDevice),
                     static_cast<uint32_t>(i + kWarmupLaunches + 1), stream);
    } else {
      const double begin = nowNs();
      emptyKernel<<<1, 1, 0, stream.get()>>>();
      if (quantity == AW_CUDA_LAUNCH_ROUND_TRIP) stream.wait();
      ns = nowNs() - begin;
      AW_CUDA_CHECK(cudaGetLastError());
      // An empty queue before each: a full one would make the launch wait.
      stream.wait();
    }
    if (i >= 0) samples[i] = ns;
  }
}

void sampleClock(double spinNs, int count, double* samples) {
  const Stream stream;
  const DeviceBuffer counters(2 * sizeof(uint64_t));
  for (int i = -1; i < count; ++i) {
    uint64_t read[2] = {};
    clockKernel<<<1, 1, 0, stream.get()>>>(static_cast<uint64_t>(spinNs), counters.as<uint64_t>(),
                                           counters.as<uint64_t>() + 1);
    AW_CUDA_CHECK(cudaGetLastError());
    AW_CUDA_CHECK(cudaMemcpyAsync(read, counters.get(), sizeof read, cudaMemcpyDeviceToHost,
                                  stream.get()));
    stream.wait();
    if (i >= 0) samples[i] = static_cast<double>(read[0]) / (static_cast<double>(read[1]) / 1e9);
  }
}

}  // namespace archwright::cuda
