#include "cpu/cpu_features.h"

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#ifdef _MSC_VER
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace archwright::kernels {
namespace {

#if defined(__x86_64__) || defined(_M_X64)

struct Registers {
  uint32_t a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(uint32_t leaf, uint32_t part) {
  Registers r;
#ifdef _MSC_VER
  int values[4];
  __cpuidex(values, static_cast<int>(leaf), static_cast<int>(part));
  r = {static_cast<uint32_t>(values[0]), static_cast<uint32_t>(values[1]),
       static_cast<uint32_t>(values[2]), static_cast<uint32_t>(values[3])};
#else
  __get_cpuid_count(leaf, part, &r.a, &r.b, &r.c, &r.d);
#endif
  return r;
}

// Which register files the operating system saves when it switches threads.
uint64_t savedState() {
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<uint64_t>(high) << 32) | low;
#endif
}

bool bit(uint32_t value, int number) { return (value >> number & 1) != 0; }

CpuFeatures read() {
  CpuFeatures features{};
  const Registers basic = cpuid(1, 0);
  if (!bit(basic.c, 27)) return features;  // OSXSAVE: `savedState` may be asked
  const uint64_t saved = savedState();
  const bool ymm = (saved & 0x06) == 0x06;
  const bool zmm = (saved & 0xe6) == 0xe6;
  const Registers extended = cpuid(7, 0);
  features.avx2Fma = ymm && bit(basic.c, 12) && bit(extended.b, 5);
  features.avx512 = zmm && bit(extended.b, 16);
  features.avx512Vnni = features.avx512 && bit(extended.c, 11);
  features.avxVnni = features.avx2Fma && extended.a >= 1 && bit(cpuid(7, 1).a, 4);
  return features;
}

#elif defined(__aarch64__) && defined(__linux__)

CpuFeatures read() {
  constexpr unsigned long kDotProduct = 1ul << 20;  // HWCAP_ASIMDDP
  CpuFeatures features{};
  features.neonDot = (getauxval(AT_HWCAP) & kDotProduct) != 0;
  return features;
}

#else

CpuFeatures read() {
  CpuFeatures features{};
#if defined(__aarch64__) && defined(__APPLE__)
  features.neonDot = true;  // every ARM processor of a Mac
#endif
  return features;
}

#endif

}  // namespace

const CpuFeatures& cpuFeatures() {
  static const CpuFeatures features = read();
  return features;
}

}  // namespace archwright::kernels
