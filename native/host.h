// Facts and counters of the machine and of this process. No N-API, no ONNX Runtime.
// What a platform does not tell is zero, as `src/runtime/binding-types.ts` says.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace archwright {

// CLOCK_MONOTONIC (or the platform's equal) in nanoseconds.
uint64_t monotonicTicksNs();
inline double monotonicNs() { return static_cast<double>(monotonicTicksNs()); }

struct CpuCounters {
  double involuntarySwitches;  // of the calling thread
  double stealNs;              // of the whole machine
  double busyNs;               // of the whole machine, all cores, user and kernel
  double processNs;            // of this process, all threads
};
// Linux counts machine time in ticks of 10 ms: differences over shorter windows are coarse.
CpuCounters readCpuCounters();

struct MemoryUse {
  double residentBytes;
  double peakResidentBytes;
};
MemoryUse readMemoryUse();
// Linux only; false elsewhere or when the kernel refuses.
bool resetPeakMemory();

struct HostFacts {
  std::string cpuModel;
  int logicalCores;
  int availableCores;
  double totalMemoryBytes;
  int frequencyMhz;
  std::vector<std::string> features;
  std::string platform;
};
HostFacts readHostFacts();

}  // namespace archwright
