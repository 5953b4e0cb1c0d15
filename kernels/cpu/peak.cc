#include "cpu/peak.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "cpu/peak_kernels.h"

namespace archwright::kernels {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kStretch = std::chrono::milliseconds(10);
// Rounds of multiply–adds between two looks at the clock: some 20 µs.
constexpr int64_t kStepsPerChunk = 4000;
// Bytes that a triad moves between two looks at the clock, at least.
constexpr size_t kBytesPerChunk = size_t{1} << 20;

volatile double consumed;

// Holds threads until all have come; then they all know the same moment of release.
class Gate {
 public:
  explicit Gate(int threads) : threads_(threads) {}

  Clock::time_point pass() {
    std::unique_lock<std::mutex> lock(mutex_);
    const int round = round_;
    if (++waiting_ == threads_) {
      waiting_ = 0;
      ++round_;
      released_ = Clock::now();
      opened_.notify_all();
    } else {
      opened_.wait(lock, [&] { return round_ != round; });
    }
    return released_;
  }

 private:
  const int threads_;
  std::mutex mutex_;
  std::condition_variable opened_;
  int waiting_ = 0;
  int round_ = 0;
  Clock::time_point released_;
};

// Does one chunk of work and returns how much that was.
using Chunk = std::function<double()>;

Chunk multiplyAddChunk(MultiplyAdd kernel) {
  return [kernel] {
    consumed = kernel.run(kStepsPerChunk);
    return kernel.operationsPerStep * static_cast<double>(kStepsPerChunk);
  };
}

Chunk triadChunk(size_t bytes) {
  const size_t count = std::max<size_t>(1, bytes / 3 / sizeof(float));
  const size_t passBytes = 3 * count * sizeof(float);
  const size_t passes = (kBytesPerChunk + passBytes - 1) / passBytes;
  // Made, and so first touched, by the thread that works on them.
  return [=, a = std::vector<float>(count), b = std::vector<float>(count, 1.0f),
          c = std::vector<float>(count, 2.0f), run = widestTriad()]() mutable {
    for (size_t pass = 0; pass < passes; ++pass) {
      run(a.data(), b.data(), c.data(), static_cast<float>(pass), count);
    }
    consumed = a[count / 2];
    return static_cast<double>(passBytes * passes);
  };
}

// A thread's rates: from the common release until the first chunk that ends after the stretch.
void work(const std::function<Chunk()>& create, Gate& gate, std::vector<double>& rates) {
  const Chunk chunk = create();
  chunk();  // warms caches, and the core's clock a little
  for (double& rate : rates) {
    const Clock::time_point start = gate.pass();
    double done = 0;
    Clock::time_point end;
    do {
      done += chunk();
      end = Clock::now();
    } while (end - start < kStretch);
    rate = done / std::chrono::duration<double>(end - start).count();
  }
}

}  // namespace

std::vector<double> measurePeak(Peak peak, int threads, int repetitions, size_t bytes) {
  const MultiplyAdd kernel = peak == Peak::kFloat32   ? float32MultiplyAdd()
                             : peak == Peak::kFloat64 ? float64MultiplyAdd()
                             : peak == Peak::kInt8    ? int8MultiplyAdd()
                                                      : MultiplyAdd{nullptr, 0};
  if (peak != Peak::kBandwidth && kernel.run == nullptr) return {};
  const std::function<Chunk()> create = [&] {
    return peak == Peak::kBandwidth ? triadChunk(bytes / static_cast<size_t>(threads))
                                    : multiplyAddChunk(kernel);
  };
  Gate gate(threads);
  std::vector<std::vector<double>> rates(static_cast<size_t>(threads),
                                         std::vector<double>(static_cast<size_t>(repetitions)));
  std::vector<std::thread> workers;
  for (std::vector<double>& own : rates) {
    workers.emplace_back(work, std::cref(create), std::ref(gate), std::ref(own));
  }
  for (std::thread& worker : workers) worker.join();
  std::vector<double> together(static_cast<size_t>(repetitions), 0.0);
  for (const std::vector<double>& own : rates) {
    for (size_t i = 0; i < own.size(); ++i) together[i] += own[i];
  }
  return together;
}

}  // namespace archwright::kernels
