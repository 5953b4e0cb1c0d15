#include "cpu/batch_norm.h"

#include <algorithm>
#include <cmath>

#include "cpu/simd.h"

namespace archwright::kernels {

namespace {

struct Sums {
  double first = 0, second = 0;
};

// Σ a and Σ (a − shift)·(b − shift)-style sums of one plane; vectors within a plane, double across
// planes, so that the rounding of long batches does not add up.
template <int Width>
ARCHWRIGHT_INLINE void sumAndSquares_body(const float* x, int64_t n, float shift, Sums* sums) {
  Vec<Width> total = splat<Width>(0), squares = splat<Width>(0);
  const Vec<Width> offset = splat<Width>(-shift);
  int64_t i = 0;
  for (; i + Width <= n; i += Width) {
    Vec<Width> d = load<Width>(x + i);
    d += offset;
    total += d;
    squares += d * d;
  }
  float restSum = 0, restSquares = 0;
  for (; i < n; i++) {
    const float d = x[i] - shift;
    restSum += d;
    restSquares += d * d;
  }
  sums->first += sum<Width>(total) + restSum;
  sums->second += sum<Width>(squares) + restSquares;
}
ARCHWRIGHT_DISPATCH(sumAndSquares, (const float* x, int64_t n, float shift, Sums* sums),
                    (x, n, shift, sums))

// Σ dy and Σ dy · (x − mean).
template <int Width>
ARCHWRIGHT_INLINE void sumAndProducts_body(const float* dy, const float* x, int64_t n, float mean,
                                           Sums* sums) {
  Vec<Width> total = splat<Width>(0), products = splat<Width>(0);
  const Vec<Width> offset = splat<Width>(-mean);
  int64_t i = 0;
  for (; i + Width <= n; i += Width) {
    const Vec<Width> g = load<Width>(dy + i);
    Vec<Width> d = load<Width>(x + i);
    d += offset;
    total += g;
    products += g * d;
  }
  float restSum = 0, restProducts = 0;
  for (; i < n; i++) {
    restSum += dy[i];
    restProducts += dy[i] * (x[i] - mean);
  }
  sums->first += sum<Width>(total) + restSum;
  sums->second += sum<Width>(products) + restProducts;
}
ARCHWRIGHT_DISPATCH(sumAndProducts,
                    (const float* dy, const float* x, int64_t n, float mean, Sums* sums),
                    (dy, x, n, mean, sums))

// out = a · x + b, and out = a · dy + b · x + c.
template <int Width>
ARCHWRIGHT_INLINE void affine_body(const float* x, int64_t n, float a, float b, float* out) {
  for (int64_t i = 0; i < n; i++) out[i] = a * x[i] + b;
}
ARCHWRIGHT_DISPATCH(affine, (const float* x, int64_t n, float a, float b, float* out),
                    (x, n, a, b, out))

template <int Width>
ARCHWRIGHT_INLINE void blend_body(const float* dy, const float* x, int64_t n, float a, float b,
                                  float c, float* out) {
  for (int64_t i = 0; i < n; i++) out[i] = a * dy[i] + (b * x[i] + c);
}
ARCHWRIGHT_DISPATCH(blend,
                    (const float* dy, const float* x, int64_t n, float a, float b, float c,
                     float* out),
                    (dy, x, n, a, b, c, out))

// Channels are independent: each thread takes a contiguous share of them.
void overChannels(const BatchNormShape& s, const Parallel& parallel,
                  const std::function<void(int64_t)>& channel) {
  const int64_t tasks = std::max<int64_t>(
      1, std::min<int64_t>(static_cast<int64_t>(parallel.threads), s.channels));
  parallel.run(static_cast<size_t>(tasks), [&](size_t task) {
    const int64_t begin = s.channels * static_cast<int64_t>(task) / tasks;
    const int64_t end = s.channels * (static_cast<int64_t>(task) + 1) / tasks;
    for (int64_t c = begin; c < end; c++) channel(c);
  });
}

}  // namespace

void batchNormForward(const BatchNormShape& s, const BatchNormForward& a, const Parallel& parallel) {
  const double count = static_cast<double>(s.batch * s.plane);
  overChannels(s, parallel, [&](int64_t c) {
    const auto at = [&](int64_t n) { return (n * s.channels + c) * s.plane; };
    // Sums about a value near the mean lose no digits to a large mean.
    const float shift = a.x[at(0)];
    Sums sums;
    for (int64_t n = 0; n < s.batch; n++) sumAndSquares(a.x + at(n), s.plane, shift, &sums);
    const double offset = sums.first / count;
    const double variance = std::max(0.0, sums.second / count - offset * offset);
    const double mean = shift + offset;
    const double invStd = 1.0 / std::sqrt(variance + static_cast<double>(a.epsilon));
    a.mean[c] = static_cast<float>(mean);
    a.invStd[c] = static_cast<float>(invStd);
    a.variance[c] = static_cast<float>(variance);
    const float slope = static_cast<float>(a.scale[c] * invStd);
    const float intercept = static_cast<float>(a.bias[c] - a.scale[c] * invStd * mean);
    for (int64_t n = 0; n < s.batch; n++)
      affine(a.x + at(n), s.plane, slope, intercept, a.y + at(n));
  });
}

void batchNormBackward(const BatchNormShape& s, const BatchNormBackward& a,
                       const Parallel& parallel) {
  const double count = static_cast<double>(s.batch * s.plane);
  overChannels(s, parallel, [&](int64_t c) {
    const auto at = [&](int64_t n) { return (n * s.channels + c) * s.plane; };
    Sums sums;
    for (int64_t n = 0; n < s.batch; n++)
      sumAndProducts(a.dy + at(n), a.x + at(n), s.plane, a.mean[c], &sums);
    const double invStd = a.invStd[c];
    const double dScale = sums.second * invStd;
    a.dBias[c] = static_cast<float>(sums.first);
    a.dScale[c] = static_cast<float>(dScale);
    const double gain = a.scale[c] * invStd;
    const double onX = -gain * invStd * dScale / count;
    const double constant = -gain * sums.first / count - onX * a.mean[c];
    for (int64_t n = 0; n < s.batch; n++)
      blend(a.dy + at(n), a.x + at(n), s.plane, static_cast<float>(gain), static_cast<float>(onX),
            static_cast<float>(constant), a.dx + at(n));
  });
}

}  // namespace archwright::kernels
