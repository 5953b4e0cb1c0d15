#include "cpu/pool_grad.h"

#include <algorithm>

#include "cpu/simd.h"

namespace archwright::kernels {

namespace {

// Bounds by value: read through a reference they might be what `dx` writes, and nothing vectorises.
template <int Width>
ARCHWRIGHT_INLINE void clippedSlope_body(ActivationSlope s, int64_t n, const float* dy,
                                         const float* x, float* dx) {
  for (int64_t i = 0; i < n; i++) {
    const float passed = dy[i] * s.inside;
    const float below = x[i] > s.low ? passed : 0.0f;
    dx[i] = x[i] < s.high ? below : 0.0f;
  }
}
ARCHWRIGHT_DISPATCH(clippedSlope,
                    (ActivationSlope s, int64_t n, const float* dy, const float* x, float* dx),
                    (s, n, dy, x, dx))

template <int Width>
ARCHWRIGHT_INLINE void rampSlope_body(int64_t n, const float* dy, const float* x, float* dx) {
  for (int64_t i = 0; i < n; i++) {
    float slope = x[i] * (1.0f / 3.0f) + 0.5f;
    slope = x[i] <= -3.0f ? 0.0f : slope;
    slope = x[i] >= 3.0f ? 1.0f : slope;
    dx[i] = dy[i] * slope;
  }
}
ARCHWRIGHT_DISPATCH(rampSlope, (int64_t n, const float* dy, const float* x, float* dx),
                    (n, dy, x, dx))

}  // namespace

void maxPoolGrad(int64_t planes, int64_t inPlane, int64_t outPlane, const float* dy,
                 const int64_t* indices, float* dx, const Parallel& parallel) {
  parallel.share(planes, 1, [&](int64_t, int64_t begin, int64_t end) {
    std::fill(dx + begin * inPlane, dx + end * inPlane, 0.0f);
    for (int64_t i = begin * outPlane; i < end * outPlane; i++) dx[indices[i]] += dy[i];
  });
}

void activationGrad(const ActivationSlope& slope, int64_t count, const float* dy, const float* x,
                    float* dx, const Parallel& parallel) {
  parallel.share(count, kShare, [&](int64_t, int64_t begin, int64_t end) {
    if (slope.ramp) rampSlope(end - begin, dy + begin, x + begin, dx + begin);
    else clippedSlope(slope, end - begin, dy + begin, x + begin, dx + begin);
  });
}

}  // namespace archwright::kernels
