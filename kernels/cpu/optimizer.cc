#include "cpu/optimizer.h"

#include <cmath>
#include <vector>

#include "cpu/simd.h"

namespace archwright::kernels {

namespace {

// Elements that are added up in float before they go into a double.
constexpr int64_t kRun = 4096;

template <int Width>
ARCHWRIGHT_INLINE void squares_body(const float* g, int64_t n, double* total) {
  for (int64_t first = 0; first < n; first += kRun) {
    const int64_t end = std::min(first + kRun, n);
    Vec<Width> sums = splat<Width>(0);
    int64_t i = first;
    for (; i + Width <= end; i += Width) {
      const Vec<Width> v = load<Width>(g + i);
      sums += v * v;
    }
    float rest = sum<Width>(sums);
    for (; i < end; i++) rest += g[i] * g[i];
    *total += rest;
  }
}
ARCHWRIGHT_DISPATCH(squares, (const float* g, int64_t n, double* total), (g, n, total))

// Steps by value: read through a reference they might be what is written, and nothing vectorises.
template <int Width>
ARCHWRIGHT_INLINE void sgd_body(SgdStep s, int64_t begin, int64_t end) {
  const float ahead = s.nesterov ? s.momentum : 0.0f, direct = s.nesterov ? 1.0f : 0.0f;
  const float along = s.nesterov ? ahead : 1.0f;
  for (int64_t i = begin; i < end; i++) {
    const float w = s.weights[i];
    const float g = s.factor * s.gradient[i] + s.decay * w;
    const float v = s.momentum * s.velocity[i] + g;
    s.nextVelocity[i] = v;
    s.nextWeights[i] = w - s.rate * (direct * g + along * v);
  }
}
ARCHWRIGHT_DISPATCH(sgd, (SgdStep s, int64_t begin, int64_t end), (s, begin, end))

template <int Width>
ARCHWRIGHT_INLINE void adamw_body(AdamwStep s, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; i++) {
    const float g = s.factor * s.gradient[i];
    const float m = s.beta1 * s.mean[i] + (1.0f - s.beta1) * g;
    const float v = s.beta2 * s.square[i] + (1.0f - s.beta2) * (g * g);
    s.nextMean[i] = m;
    s.nextSquare[i] = v;
    s.nextWeights[i] =
        s.keep * s.weights[i] - s.size * (m / (std::sqrt(v) * s.correction + s.epsilon));
  }
}
ARCHWRIGHT_DISPATCH(adamw, (AdamwStep s, int64_t begin, int64_t end), (s, begin, end))

}  // namespace

double sumOfSquares(int64_t count, const float* g, const Parallel& parallel) {
  std::vector<double> totals(parallel.threads);
  parallel.share(count, kShare, [&](int64_t task, int64_t begin, int64_t end) {
    double total = 0;
    squares(g + begin, end - begin, &total);
    totals[static_cast<size_t>(task)] = total;
  });
  double all = 0;
  for (const double total : totals) all += total;
  return all;
}

void sgdStep(int64_t count, const SgdStep& step, const Parallel& parallel) {
  parallel.share(count, kShare,
                 [&](int64_t, int64_t begin, int64_t end) { sgd(step, begin, end); });
}

void adamwStep(int64_t count, const AdamwStep& step, const Parallel& parallel) {
  parallel.share(count, kShare,
                 [&](int64_t, int64_t begin, int64_t end) { adamw(step, begin, end); });
}

}  // namespace archwright::kernels
