#include "cpu/counter.h"

#include <algorithm>
#include <chrono>

namespace archwright::kernels {
namespace {

constexpr int kStretches = 5;
constexpr int kSteps = 12000;
// An exclusive or and an addition, neither of which can be folded into the other nor, with an
// operand from a register, be done away with while renaming.
constexpr int kCyclesPerStep = 2;

// Volatile, so that the compiler knows neither where the chain begins nor whether its end matters.
volatile uint64_t chainKey = 0x9e3779b97f4a7c15;
volatile uint64_t chainEnd;

uint64_t runChain(uint64_t value, uint64_t key) {
  for (int step = 0; step < kSteps; step += 8) {
    value = (value ^ key) + key;
    value = (value ^ key) + key;
    value = (value ^ key) + key;
    value = (value ^ key) + key;
    value = (value ^ key) + key;
    value = (value ^ key) + key;
    value = (value ^ key) + key;
    value = (value ^ key) + key;
  }
  return value;
}

}  // namespace

double measureCoreMhz() {
  using Clock = std::chrono::steady_clock;
  double quickest = 1e300;
  for (int i = 0; i < kStretches; ++i) {
    const auto start = Clock::now();
    chainEnd = runChain(chainEnd, chainKey);
    const std::chrono::duration<double, std::micro> elapsed = Clock::now() - start;
    quickest = std::min(quickest, elapsed.count());
  }
  return quickest > 0 ? kSteps * kCyclesPerStep / quickest : 0;
}

}  // namespace archwright::kernels
