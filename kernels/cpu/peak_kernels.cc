// Each multiply–add needs the one before it in its own accumulator, so there are as many
// accumulators as it takes to keep the unit busy over its latency (4 or 5 cycles × 2 a cycle), and
// no more than there are registers. The factors come from volatile variables, and a < 1 with b keeps
// the values near b ÷ (1 − a): no overflow, no denormals.
#include "cpu/peak_kernels.h"

#include <cstring>

#include "cpu/cpu_features.h"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifdef _MSC_VER
#define ARCHWRIGHT_TARGET(features)
#define ARCHWRIGHT_BODY __forceinline
#define ARCHWRIGHT_UNROLL
#else
#define ARCHWRIGHT_TARGET(features) __attribute__((target(features)))
#define ARCHWRIGHT_BODY inline __attribute__((always_inline))
#ifdef __clang__
#define ARCHWRIGHT_UNROLL _Pragma("clang loop unroll(full)")
#else
#define ARCHWRIGHT_UNROLL _Pragma("GCC unroll 24")
#endif
#endif

namespace archwright::kernels {
namespace {

volatile double factor = 0.999;
volatile double addend = 0.001;
volatile int byteFactor = 0x01010101;

// Defines `double name(int64_t steps)`: each step does `step(acc, a, b)` on each of `count`
// accumulators of `lanes` × `Scalar`; `splat` makes a vector of one value, `store` writes one out.
#define ARCHWRIGHT_MULTIPLY_ADD(name, target, Vector, Scalar, lanes, count, splat, step, store, A, B) \
  target double name(int64_t steps) {                                                                \
    const Vector a = splat(static_cast<Scalar>(A));                                                  \
    const Vector b = splat(static_cast<Scalar>(B));                                                  \
    Vector acc[count];                                                                               \
    for (int i = 0; i < count; ++i) acc[i] = splat(static_cast<Scalar>(i));                          \
    for (int64_t s = 0; s < steps; ++s) {                                                            \
      ARCHWRIGHT_UNROLL                                                                              \
      for (int i = 0; i < count; ++i) acc[i] = step(acc[i], a, b);                                   \
    }                                                                                                \
    double sum = 0;                                                                                  \
    for (int i = 0; i < count; ++i) {                                                                \
      Scalar values[lanes];                                                                          \
      store(values, acc[i]);                                                                         \
      for (const Scalar value : values) sum += static_cast<double>(value);                           \
    }                                                                                                \
    return sum;                                                                                      \
  }

#if defined(__x86_64__) || defined(_M_X64)

#define ARCHWRIGHT_AVX512 ARCHWRIGHT_TARGET("avx512f")
#define ARCHWRIGHT_AVX2 ARCHWRIGHT_TARGET("avx2,fma")
#define ARCHWRIGHT_SSE_STEP(acc, a, b) _mm_add_ps(_mm_mul_ps(acc, a), b)
#define ARCHWRIGHT_SSE_STEP_64(acc, a, b) _mm_add_pd(_mm_mul_pd(acc, a), b)
#define ARCHWRIGHT_STORE_512(to, v) _mm512_storeu_si512(to, v)
#define ARCHWRIGHT_STORE_256(to, v) _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), v)

ARCHWRIGHT_MULTIPLY_ADD(float32Avx512, ARCHWRIGHT_AVX512, __m512, float, 16, 16, _mm512_set1_ps,
                        _mm512_fmadd_ps, _mm512_storeu_ps, factor, addend)
ARCHWRIGHT_MULTIPLY_ADD(float64Avx512, ARCHWRIGHT_AVX512, __m512d, double, 8, 16, _mm512_set1_pd,
                        _mm512_fmadd_pd, _mm512_storeu_pd, factor, addend)
ARCHWRIGHT_MULTIPLY_ADD(float32Avx2, ARCHWRIGHT_AVX2, __m256, float, 8, 12, _mm256_set1_ps,
                        _mm256_fmadd_ps, _mm256_storeu_ps, factor, addend)
ARCHWRIGHT_MULTIPLY_ADD(float64Avx2, ARCHWRIGHT_AVX2, __m256d, double, 4, 12, _mm256_set1_pd,
                        _mm256_fmadd_pd, _mm256_storeu_pd, factor, addend)
ARCHWRIGHT_MULTIPLY_ADD(float32Sse, , __m128, float, 4, 12, _mm_set1_ps, ARCHWRIGHT_SSE_STEP,
                        _mm_storeu_ps, factor, addend)
ARCHWRIGHT_MULTIPLY_ADD(float64Sse, , __m128d, double, 2, 12, _mm_set1_pd, ARCHWRIGHT_SSE_STEP_64,
                        _mm_storeu_pd, factor, addend)
ARCHWRIGHT_MULTIPLY_ADD(int8Avx512, ARCHWRIGHT_TARGET("avx512f,avx512bw,avx512vnni"), __m512i,
                        int32_t, 16, 16, _mm512_set1_epi32, _mm512_dpbusd_epi32,
                        ARCHWRIGHT_STORE_512, byteFactor, byteFactor)
ARCHWRIGHT_MULTIPLY_ADD(int8Avx2, ARCHWRIGHT_TARGET("avx2,avxvnni"), __m256i, int32_t, 8, 12,
                        _mm256_set1_epi32, _mm256_dpbusd_avx_epi32, ARCHWRIGHT_STORE_256,
                        byteFactor, byteFactor)

#elif defined(__aarch64__)

#define ARCHWRIGHT_NEON_STEP(acc, a, b) vfmaq_f32(b, acc, a)
#define ARCHWRIGHT_NEON_STEP_64(acc, a, b) vfmaq_f64(b, acc, a)

ARCHWRIGHT_MULTIPLY_ADD(float32Neon, , float32x4_t, float, 4, 20, vdupq_n_f32, ARCHWRIGHT_NEON_STEP,
                        vst1q_f32, factor, addend)
ARCHWRIGHT_MULTIPLY_ADD(float64Neon, , float64x2_t, double, 2, 20, vdupq_n_f64,
                        ARCHWRIGHT_NEON_STEP_64, vst1q_f64, factor, addend)
#if defined(__ARM_FEATURE_DOTPROD) || !defined(__APPLE__)
#define ARCHWRIGHT_NEON_DOT_STEP(acc, a, b) \
  vdotq_s32(acc, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b))
ARCHWRIGHT_MULTIPLY_ADD(int8Neon, ARCHWRIGHT_TARGET("arch=armv8.2-a+dotprod"), int32x4_t, int32_t, 4,
                        20, vdupq_n_s32, ARCHWRIGHT_NEON_DOT_STEP, vst1q_s32, byteFactor,
                        byteFactor)
#endif

#endif

ARCHWRIGHT_BODY void triad(float* a, const float* b, const float* c, float scale, size_t count) {
#ifdef __clang__
#pragma clang loop vectorize(assume_safety)
#elif defined(__GNUC__)
#pragma GCC ivdep
#endif
  for (size_t i = 0; i < count; ++i) a[i] = b[i] + scale * c[i];
}

void triadPlain(float* a, const float* b, const float* c, float scale, size_t count) {
  triad(a, b, c, scale, count);
}
#if defined(__x86_64__) || defined(_M_X64)
ARCHWRIGHT_AVX2 void triadAvx2(float* a, const float* b, const float* c, float scale,
                               size_t count) {
  triad(a, b, c, scale, count);
}
#endif

}  // namespace

MultiplyAdd float32MultiplyAdd() {
#if defined(__x86_64__) || defined(_M_X64)
  if (cpuFeatures().avx512) return {float32Avx512, 2 * 16 * 16};
  if (cpuFeatures().avx2Fma) return {float32Avx2, 2 * 8 * 12};
  return {float32Sse, 2 * 4 * 12};
#elif defined(__aarch64__)
  return {float32Neon, 2 * 4 * 20};
#else
  return {nullptr, 0};
#endif
}

MultiplyAdd float64MultiplyAdd() {
#if defined(__x86_64__) || defined(_M_X64)
  if (cpuFeatures().avx512) return {float64Avx512, 2 * 8 * 16};
  if (cpuFeatures().avx2Fma) return {float64Avx2, 2 * 4 * 12};
  return {float64Sse, 2 * 2 * 12};
#elif defined(__aarch64__)
  return {float64Neon, 2 * 2 * 20};
#else
  return {nullptr, 0};
#endif
}

MultiplyAdd int8MultiplyAdd() {
#if defined(__x86_64__) || defined(_M_X64)
  if (cpuFeatures().avx512Vnni) return {int8Avx512, 2 * 64 * 16};
  if (cpuFeatures().avxVnni) return {int8Avx2, 2 * 32 * 12};
#elif defined(__aarch64__) && (defined(__ARM_FEATURE_DOTPROD) || !defined(__APPLE__))
  if (cpuFeatures().neonDot) return {int8Neon, 2 * 16 * 20};
#endif
  return {nullptr, 0};
}

Triad widestTriad() {
#if defined(__x86_64__) || defined(_M_X64)
  if (cpuFeatures().avx2Fma) return triadAvx2;
#endif
  return triadPlain;
}

}  // namespace archwright::kernels
