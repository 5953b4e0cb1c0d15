// Transcendental functions without branches or tables, for loops that the compiler turns into
// vectors.
#pragma once

#include <cstdint>
#include <cstring>

#include "cpu/simd.h"

namespace archwright::kernels {

// eˣ to 2e-7 of its value; below −87 it stays at e⁻⁸⁷, above 88 at e⁸⁸. x = n·ln 2 + r, |r| ≤ ½·ln 2,
// and a Taylor polynomial in r.
ARCHWRIGHT_INLINE float expOf(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  // Adding 1.5 · 2²³ leaves the nearest whole number in the low bits.
  constexpr float kRounder = 12582912.0f;
  const float shifted = x * 1.44269504f + kRounder;
  const float n = shifted - kRounder;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + 0x3f800000u;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
}

struct NormalDistribution {
  float density, cumulative;
};

// φ(x) and Φ(x) to 3e-7 of their values, down both tails: Φ(−a)·e^(a²/2) is smooth, here a polynomial
// in 1/(1 + 0.3a) fitted by least squares over 0 ≤ a ≤ 14.
ARCHWRIGHT_INLINE NormalDistribution normalOf(float x) {
  const float a = x < 0.0f ? -x : x;
  const float t = 1.0f / (1.0f + 0.3f * a);
  float p = 0.03622337141555813f;
  p = p * t - 0.15935455760444647f;
  p = p * t + 0.20981963733095732f;
  p = p * t - 0.05664501437670702f;
  p = p * t + 0.1300050080038111f;
  p = p * t + 0.0995135046765974f;
  p = p * t + 0.12081218081598963f;
  p = p * t + 0.11962586596629453f;
  const float bell = expOf(-0.5f * x * x);
  const float tail = p * t * bell;
  return {0.3989422804f * bell, x < 0.0f ? tail : 1.0f - tail};
}

}  // namespace archwright::kernels
