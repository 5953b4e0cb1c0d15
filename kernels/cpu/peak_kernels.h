// The inner loops of the micro-benchmarks, one set of functions per vector unit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace archwright::kernels {

// A function that does `steps` rounds of multiply–adds in registers, and how many operations a round
// has. Its result depends on every one of them.
struct MultiplyAdd {
  double (*run)(int64_t steps);
  double operationsPerStep;
};

// The widest that this processor has; `run` is null where there is none.
MultiplyAdd float32MultiplyAdd();
MultiplyAdd float64MultiplyAdd();
MultiplyAdd int8MultiplyAdd();

// a[i] = b[i] + factor · c[i], with ordinary stores.
using Triad = void (*)(float* a, const float* b, const float* c, float factor, size_t count);
Triad widestTriad();

}  // namespace archwright::kernels
