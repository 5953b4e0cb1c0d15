// Vectors of eight floats through the compiler's vector extension: the same source compiles to AVX2
// where the processor has it, and to whatever the target has elsewhere.
#pragma once

#include <cstdint>
#include <cstring>

namespace archwright::kernels {

#if defined(__GNUC__)
#define ARCHWRIGHT_INLINE inline __attribute__((always_inline))
// Vectors wider than the base instruction set pass between inlined functions only.
#pragma GCC diagnostic ignored "-Wpsabi"
typedef float Vec8 __attribute__((vector_size(32)));
#else
#define ARCHWRIGHT_INLINE __forceinline
struct Vec8 {
  float lane[8];
  float operator[](int i) const { return lane[i]; }
  Vec8& operator+=(const Vec8& o) {
    for (int i = 0; i < 8; i++) lane[i] += o.lane[i];
    return *this;
  }
  friend Vec8 operator*(const Vec8& a, const Vec8& b) {
    Vec8 r;
    for (int i = 0; i < 8; i++) r.lane[i] = a.lane[i] * b.lane[i];
    return r;
  }
};
#endif

ARCHWRIGHT_INLINE Vec8 load8(const float* from) {
  Vec8 v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

ARCHWRIGHT_INLINE void store8(float* to, const Vec8& v) { std::memcpy(to, &v, sizeof v); }

ARCHWRIGHT_INLINE Vec8 splat8(float x) {
#if defined(__GNUC__)
  return Vec8{x, x, x, x, x, x, x, x};
#else
  Vec8 v;
  for (int i = 0; i < 8; i++) v.lane[i] = x;
  return v;
#endif
}

ARCHWRIGHT_INLINE float sum8(const Vec8& v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

// `ARCHWRIGHT_DISPATCH(name, parameters, arguments)` after `name_body` is defined: compiles the body
// twice, for AVX2 with FMA and for the base instruction set, and calls the one that this processor
// can run.
#if defined(__GNUC__) && defined(__x86_64__)
#define ARCHWRIGHT_DISPATCH(name, parameters, arguments)                              \
  __attribute__((target("avx2,fma"))) static void name##_avx2 parameters {            \
    name##_body arguments;                                                            \
  }                                                                                   \
  static void name##_base parameters { name##_body arguments; }                       \
  static void name parameters {                                                       \
    static const bool wide = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); \
    if (wide) name##_avx2 arguments;                                                  \
    else name##_base arguments;                                                       \
  }
#else
#define ARCHWRIGHT_DISPATCH(name, parameters, arguments) \
  static void name parameters { name##_body arguments; }
#endif

}  // namespace archwright::kernels
