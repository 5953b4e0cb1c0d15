// Vectors of floats through the compiler's vector extension: the same source compiles to AVX-512 or
// AVX2 where the processor has it, and to whatever the target has elsewhere.
#pragma once

#include <cstdint>
#include <cstring>

#include "cpu/cpu_features.h"

namespace archwright::kernels {

#if defined(__GNUC__)
#define ARCHWRIGHT_INLINE inline __attribute__((always_inline))
// Before a loop over the registers of a block: an array that is indexed in a loop lies in memory.
#define ARCHWRIGHT_UNROLL _Pragma("GCC unroll 16")
// Vectors wider than the base instruction set pass between inlined functions only.
#pragma GCC diagnostic ignored "-Wpsabi"
template <int Width>
struct VectorOf {
  typedef float type __attribute__((vector_size(Width * sizeof(float))));
};
#else
#define ARCHWRIGHT_INLINE __forceinline
#define ARCHWRIGHT_UNROLL
template <int Width>
struct VectorOf {
  struct type {
    float lane[Width];
    float operator[](int i) const { return lane[i]; }
    type& operator+=(const type& o) {
      for (int i = 0; i < Width; i++) lane[i] += o.lane[i];
      return *this;
    }
    friend type operator*(const type& a, const type& b) {
      type r;
      for (int i = 0; i < Width; i++) r.lane[i] = a.lane[i] * b.lane[i];
      return r;
    }
  };
};
#endif

template <int Width>
using Vec = typename VectorOf<Width>::type;

template <int Width>
ARCHWRIGHT_INLINE Vec<Width> load(const float* from) {
  Vec<Width> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <int Width>
ARCHWRIGHT_INLINE void store(float* to, const Vec<Width>& v) {
  std::memcpy(to, &v, sizeof v);
}

template <int Width>
ARCHWRIGHT_INLINE Vec<Width> splat(float x) {
#if defined(__GNUC__) && !defined(__clang__)
  Vec<Width> v;
  if constexpr (Width == 4) v = Vec<4>{x, x, x, x};
#if defined(__x86_64__)
  // GCC takes a list of 8 or 16 equal elements apart before it is inlined to where it is one
  // instruction; so that instruction is named.
  else asm("vbroadcastss %1, %0" : "=v"(v) : "vm"(x));
#endif
  return v;
#elif defined(__clang__)
  Vec<Width> v;
  for (int i = 0; i < Width; i++) v[i] = x;
  return v;
#else
  Vec<Width> v;
  for (int i = 0; i < Width; i++) v.lane[i] = x;
  return v;
#endif
}

// Pairwise, the far half first.
template <int Width>
ARCHWRIGHT_INLINE float sum(const Vec<Width>& v) {
  if constexpr (Width <= 4) {
    float lanes[Width];
    std::memcpy(lanes, &v, sizeof v);
    for (int half = Width / 2; half > 0; half /= 2)
      for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
    return lanes[0];
  } else {
    Vec<Width / 2> halves[2];
    std::memcpy(halves, &v, sizeof v);
    halves[0] += halves[1];
    return sum<Width / 2>(halves[0]);
  }
}

// `ARCHWRIGHT_DISPATCH(name, parameters, arguments)` after `template <int Width> … name_body` is
// defined: compiles the body for AVX-512 with 16 floats to a vector, for AVX2 with FMA and for the
// base instruction set with 4, and calls the one that this processor can run.
// `ARCHWRIGHT_DISPATCH_NARROW` leaves AVX-512 out: for bodies whose loads do not begin at cache lines,
// where each of its vectors takes two lines.
#if defined(__GNUC__) && defined(__x86_64__)
#define ARCHWRIGHT_DISPATCH(name, parameters, arguments)                                     \
  __attribute__((target("avx512f,avx2,fma"))) static void name##_avx512 parameters {         \
    name##_body<16> arguments;                                                               \
  }                                                                                          \
  ARCHWRIGHT_DISPATCH_NARROW(name##_narrow, name##_body, parameters, arguments)              \
  static void name parameters {                                                              \
    static const CpuFeatures& has = cpuFeatures();                                           \
    if (has.avx512) name##_avx512 arguments;                                                 \
    else name##_narrow arguments;                                                            \
  }
#define ARCHWRIGHT_DISPATCH_NARROW(name, body, parameters, arguments)                        \
  __attribute__((target("avx2,fma"))) static void name##_avx2 parameters {                   \
    body<8> arguments;                                                                       \
  }                                                                                          \
  static void name##_base parameters { body<4> arguments; }                                  \
  static void name parameters {                                                              \
    static const CpuFeatures& has = cpuFeatures();                                           \
    if (has.avx2Fma) name##_avx2 arguments;                                                  \
    else name##_base arguments;                                                              \
  }
#else
#define ARCHWRIGHT_DISPATCH(name, parameters, arguments) \
  static void name parameters { name##_body<4> arguments; }
#define ARCHWRIGHT_DISPATCH_NARROW(name, body, parameters, arguments) \
  static void name parameters { body<4> arguments; }
#endif

}  // namespace archwright::kernels
