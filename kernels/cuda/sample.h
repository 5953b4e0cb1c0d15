// Timing work on the device: how every rate of this library is sampled.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "resource.h"

namespace archwright::cuda {

inline double nowNs() {
  return std::chrono::duration<double, std::nano>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Warming up lasts this long and at least this often: the clocks of an idle device rise slowly.
constexpr double kWarmupNs = 3e8;
constexpr int kWarmupRuns = 3;
// Work is enqueued in stretches, so that the queue (of some 1000 entries) never blocks the host.
constexpr int kStretch = 128;

// Nanoseconds of each of `count` pieces of work that `enqueue` puts on the stream, one behind the
// other without a gap: the times between events that lie between them.
template <class Enqueue>
std::vector<double> sampleOnDevice(const Enqueue& enqueue, int count, const Stream& stream) {
  const double begin = nowNs();
  for (int run = 0; run < kWarmupRuns || nowNs() - begin < kWarmupNs; ++run) {
    enqueue();
    stream.wait();
  }
  std::vector<double> samples;
  samples.reserve(static_cast<size_t>(count));
  const std::vector<Event> events(kStretch + 1);
  for (int left = count; left > 0; left -= kStretch) {
    const auto stretch = static_cast<size_t>(left < kStretch ? left : kStretch);
    enqueue();  // the first would wait for the host
    events[0].record(stream.get());
    for (size_t i = 0; i < stretch; ++i) {
      enqueue();
      events[i + 1].record(stream.get());
    }
    stream.wait();
    for (size_t i = 0; i < stretch; ++i) {
      float ms = 0;
      AW_CUDA_CHECK(cudaEventElapsedTime(&ms, events[i].get(), events[i + 1].get()));
      samples.push_back(static_cast<double>(ms) * 1e6);
    }
  }
  return samples;
}

// The quantities of aw_cuda_sample; `samples` has room for `count`. Throw `Error`.
void sampleCopy(aw_cuda_quantity quantity, size_t bytes, int count, double* samples);
void sampleLaunch(aw_cuda_quantity quantity, int count, double* samples);
void sampleClock(double spinNs, int count, double* samples);

// Overwrites the L2 cache and waits.
void flushL2();

}  // namespace archwright::cuda
