// Two looks at the processor itself that no operating system's clock takes part in: its own
// time-stamp counter, and how fast the calling thread's core runs right now.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#ifdef _MSC_VER
#include <intrin.h>
#else
#include <x86intrin.h>
#endif
#endif

namespace archwright::kernels {

// TSC (x86) or CNTVCT_EL0 (ARM): counts at a constant rate, whatever the core's frequency and
// whatever is done to the system's clocks. 0 on other processors.
inline uint64_t readCounter() {
#if defined(__x86_64__) || defined(_M_X64)
  return __rdtsc();
#elif defined(__aarch64__) && defined(__GNUC__)
  uint64_t ticks;
  asm volatile("mrs %0, cntvct_el0" : "=r"(ticks));
  return ticks;
#else
  return 0;
#endif
}

// Frequency of the core that the calling thread is on, in MHz: a chain of operations of which each
// needs the one before and takes one cycle, timed a few times over, the quickest taken. Costs some
// 40 µs; caveat: on a core whose hardware threads share its units it tells a little less.
double measureCoreMhz();

}  // namespace archwright::kernels
